// Package awserror says why a call of AWS failed and what to do, in the words of the AWS
// CLI, which people know and can search for. The SDK's errors name its own layers.
package awserror

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// Settings are the settings with which a user connects to AWS.
type Settings struct {
	Profile string // of --profile, which precedes keys in the environment; "" if it is not given
	Getenv  func(string) string
}

// Text returns the message for an error. An error that is not about AWS keeps its text.
func (s Settings) Text(err error) string {
	for _, explain := range []func(error) string{s.profile, s.region, s.session, s.credentials, s.refusal, s.connection} {
		if text := explain(err); text != "" {
			return text
		}
	}
	return Clean(err.Error())
}

// layers are the texts of the SDK's layers, and what replaces them.
var layers = []struct {
	text *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`operation error [\w -]+: (\w+), (?:exceeded maximum number of attempts, \d+, )?https response error ` +
		`StatusCode: [1-9]\d*, RequestID: [^,]*, (?:HostID: [^,]*, )?(?:api error )?(\w+): `), "An error occurred ($2) when calling the $1 operation: "},
	{regexp.MustCompile(`operation error ([\w -]+): (\w+), `), "the call $2 of $1 failed: "},
	{regexp.MustCompile(`https response error StatusCode: ([1-9]\d*), RequestID: [^,]*, `), "the answer has the status $1: "},
	{regexp.MustCompile(`exceeded maximum number of attempts, \d+, |https response error StatusCode: 0, RequestID: [^,]*, |request send failed, `), ""},
}

// Clean replaces the names of the SDK's layers in a text, which can have several errors.
func Clean(text string) string {
	for _, layer := range layers {
		text = layer.text.ReplaceAllString(text, layer.by)
	}
	return text
}

// refusal explains an answer of AWS that is an error.
func (s Settings) refusal(err error) string {
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	text := Clean(err.Error())
	// A call that gets credentials fails as a part of another call.
	if before, after, nested := strings.Cut(text, "get credentials: failed to refresh cached credentials, An error"); nested {
		text = before[:strings.LastIndex(before, "the call ")] + "An error" + after
	}
	code, message := answer.ErrorCode(), answer.ErrorMessage()
	switch {
	case strings.HasPrefix(code, "ExpiredToken"):
		return text + "; " + s.renew()
	case code == "UnrecognizedClientException" || code == "InvalidClientTokenId" || code == "InvalidAccessKeyId":
		return text + `; run "aws configure list` + s.option() + `" to see where the access key comes from, and correct it`
	case code == "InvalidSignatureException" || code == "SignatureDoesNotMatch":
		return text + `; run "aws configure list` + s.option() + `" to see where the secret access key comes from, and correct it`
	case strings.HasPrefix(code, "Throttling") || code == "TooManyRequestsException" || code == "RequestLimitExceeded":
		return text + "; other programs call AWS in this account and Region, too: run again later, or with fewer calls at once: CLEANER_CONCURRENCY=4"
	case strings.HasPrefix(code, "Unknown") && strings.HasSuffix(text, message) && s.setting(err, "") != "":
		return text + "; this is probably no server of AWS: check HTTPS_PROXY and " + s.setting(err, "")
	case !strings.HasPrefix(code, "AccessDenied") || !strings.HasSuffix(text, message):
		return text // which may already say what to do
	case strings.Contains(message, "explicit deny"):
		return text + "; change the policy that denies it, or give another --profile"
	}
	return text + "; allow the action in a policy of this user or role, or give another --profile"
}

// option returns the option of the AWS CLI for the profile, or "".
func (s Settings) option() string {
	if profile := cmp.Or(s.Profile, s.Getenv("AWS_PROFILE")); profile != "" {
		return " --profile " + profile
	}
	return ""
}
