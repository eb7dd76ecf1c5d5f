package awserror

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
)

// profile explains a profile that does not exist.
func (s Settings) profile(err error) string {
	missing, ok := errors.AsType[config.SharedConfigProfileNotExistError](err)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("The config profile (%s) could not be found", missing.Profile)
	if role, ok := errors.AsType[config.SharedConfigAssumeRoleError](err); ok {
		text += ", which is the source_profile of the profile with the role " + role.RoleARN
	}
	if known := s.profiles(); len(known) > 0 {
		return text + "; known profiles: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf(`%s; there are no profiles: run "aws configure --profile %s"`, text, missing.Profile)
}

// profiles returns the sorted names of the profiles in the shared AWS files.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
func (s Settings) profiles() []string {
	names := map[string]bool{}
	for _, file := range []string{
		cmp.Or(s.Getenv("AWS_CONFIG_FILE"), config.DefaultSharedConfigFilename()),
		cmp.Or(s.Getenv("AWS_SHARED_CREDENTIALS_FILE"), config.DefaultSharedCredentialsFilename()),
	} {
		f, err := os.Open(file)
		if err != nil {
			continue // the profiles of the other file are enough
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			name, isSection := strings.CutPrefix(lines.Text(), "[")
			name, _, _ = strings.Cut(name, "]")
			name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), "profile "))
			if isSection && name != "" && !strings.Contains(name, " ") { // no sso-session or services
				names[name] = true
			}
		}
		_ = f.Close() // it was only read
	}
	return slices.Sorted(maps.Keys(names))
}

// session explains a session that is over, or was never begun. The SDK has types for few
// of these errors.
func (s Settings) session(err error) string {
	_, invalid := errors.AsType[*ssocreds.InvalidTokenError](err)
	text := err.Error()
	switch {
	case invalid || strings.Contains(text, "SSO token") || hasOperation(err, "SSO", "SSO OIDC") && isRefusal(err):
		return `The SSO session associated with this profile has expired or is otherwise invalid; run "aws sso login` + s.option() + `"`
	case strings.Contains(text, "please reauthenticate"):
		return `Your session has expired; run "aws login` + s.option() + `"`
	}
	return ""
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[smithy.APIError](err)
	return ok
}

// credentials explains that there are no credentials.
func (s Settings) credentials(err error) string {
	if process, ok := errors.AsType[*processcreds.ProviderError](err); ok {
		return fmt.Sprintf("Error when retrieving credentials from custom-process: %v; correct credential_process of the profile", process.Err)
	}
	_, empty := errors.AsType[*credentials.StaticCredentialsEmptyError](err)
	if !empty && !hasOperation(err, "ec2imds") { // EC2 is the last place where the SDK looks
		return ""
	}
	option := s.option()
	text := fmt.Sprintf(`Unable to locate credentials; run "aws configure%s" or "aws sso login%s"`, option, cmp.Or(option, " --profile NAME"))
	id, secret := s.Getenv("AWS_ACCESS_KEY_ID") != "", s.Getenv("AWS_SECRET_ACCESS_KEY") != ""
	switch {
	case s.Profile != "":
		return text
	case id && !secret:
		return "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY; set it"
	case secret && !id:
		return "Partial credentials found in env, missing: AWS_ACCESS_KEY_ID; set it"
	}
	text += ", or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	if known := s.profiles(); option == "" && len(known) > 0 {
		text += ", or give --profile with one of " + strings.Join(known, ", ")
	}
	return text
}

// renew says how to get a new session token.
func (s Settings) renew() string {
	if s.Profile == "" && s.Getenv("AWS_SESSION_TOKEN") != "" {
		return "set new values of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, " +
			`or unset them and run "aws sso login` + cmp.Or(s.option(), " --profile NAME") + `"`
	}
	return `run "aws sso login` + s.option() + `", or get new keys for the profile`
}

// hasOperation reports whether the error is that of a call of one of the services. The
// call can be a part of another one.
func hasOperation(err error, services ...string) bool {
	for {
		operation, ok := errors.AsType[*smithy.OperationError](err)
		if !ok {
			return false
		}
		if slices.Contains(services, operation.ServiceID) {
			return true
		}
		err = operation.Err
	}
}
