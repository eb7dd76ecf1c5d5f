package awsclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const maxParameterAnswer = 256 << 10 // bytes; a parameter has at most 8 KB

// GetParameter returns the value of a parameter of Systems Manager, decrypted if it is a
// SecureString. The name may be an ARN.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func GetParameter(ctx context.Context, cfg aws.Config, name string, now time.Time) (value string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("get parameter %s: %w", name, err)
		}
	}()
	c := call{cfg: cfg, service: "ssm", operation: "GetParameter", now: now, method: http.MethodPost, explain: parameterError, most: maxParameterAnswer}
	c.header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AmazonSSM.GetParameter"}}
	if c.address, err = c.endpoint(ctx); err != nil {
		return "", err
	}
	if c.address == "" {
		c.address = "https://ssm." + reference.Domain(c.cfg.Region)
	}
	if c.body, err = json.Marshal(map[string]any{"Name": name, "WithDecryption": true}); err != nil {
		return "", err
	}
	c.read = func(_ *http.Response, body []byte) error {
		var answer struct{ Parameter struct{ Value *string } }
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if answer.Parameter.Value == nil {
			return errors.New("it has no parameter; check the endpoint and the proxy")
		}
		value = *answer.Parameter.Value
		return nil
	}
	err = c.do(ctx)
	return value, err
}

// The message of an AccessDeniedException names the parameter or its key.
func parameterError(answer *http.Response, body []byte) (code string, err error) {
	const decrypt = "kms:Decrypt on the key that encrypts it"
	status := answer.StatusCode
	code, message := jsonFault(answer, body)
	denied := code == "AccessDeniedException"
	switch {
	case code == "ParameterNotFound":
		return code, errors.New("there is no such parameter in this Region; check the name")
	case denied && strings.Contains(message, "ssm:GetParameter"):
		return code, errors.New("access denied; allow the action ssm:GetParameter on it")
	case code == "InvalidKeyId", denied && (strings.Contains(message, "kms:") || strings.Contains(message, "ciphertext")):
		return code, errors.New("access denied; allow the action " + decrypt)
	case denied, status == http.StatusForbidden:
		return code, errors.New("access denied; allow the action ssm:GetParameter on it and, if it is a SecureString, " + decrypt)
	}
	return code, errors.New("Systems Manager answered " + strings.TrimSpace(fmt.Sprint(status, " ", code)) + "; check the name and the endpoint")
}
