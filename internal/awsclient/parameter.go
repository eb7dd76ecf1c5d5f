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
)

// maxParameterAnswer is far more than the answer with the longest parameter,
// which has 8 KB.
const maxParameterAnswer = 256 << 10

// GetParameter returns the value of a parameter of Systems Manager, a
// SecureString decrypted. The name may also be an ARN.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func GetParameter(ctx context.Context, cfg aws.Config, name string, now time.Time) (string, error) {
	value, err := getParameter(ctx, call{cfg: cfg, service: "ssm", operation: "GetParameter", now: now, method: http.MethodPost}, name)
	if err != nil {
		return "", fmt.Errorf("get parameter %s: %w", name, err)
	}
	return value, nil
}

func getParameter(ctx context.Context, c call, name string) (value string, err error) {
	if c.address, err = c.endpoint(ctx); err != nil {
		return "", err
	}
	if c.address == "" {
		c.address = "https://ssm." + domain(c.cfg.Region)
	}
	c.header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AmazonSSM.GetParameter"}}
	if c.body, err = json.Marshal(map[string]any{"Name": name, "WithDecryption": true}); err != nil {
		return "", err
	}
	c.code = func(body []byte) string { code, _ := parameterFault(body); return code }
	c.explain, c.most = parameterError, maxParameterAnswer
	var answer struct{ Parameter struct{ Value *string } }
	c.read = func(_ *http.Response, body []byte) error {
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if answer.Parameter.Value == nil {
			return errors.New("it holds no parameter")
		}
		return nil
	}
	if _, err := c.do(ctx); err != nil {
		return "", err
	}
	return *answer.Parameter.Value, nil
}

// parameterFault returns the error code and the words of an answer.
func parameterFault(body []byte) (code, message string) {
	var fault struct {
		Type    string `json:"__type"`
		Message string // in either case
	}
	_ = json.Unmarshal(body, &fault) // what is no JSON has neither
	return fault.Type[strings.LastIndexByte(fault.Type, '#')+1:], fault.Message
}

// parameterError puts an answer into words. The words of an AccessDenied tell
// whether the parameter or its key is out of reach.
func parameterError(r refusal, body []byte) error {
	const decrypt = "kms:Decrypt on the key that encrypts it"
	_, message := parameterFault(body)
	switch {
	case r.code == "ParameterNotFound":
		return errors.New("there is no such parameter in this Region; check the name")
	case r.code == "AccessDeniedException" && strings.Contains(message, "ssm:GetParameter"):
		return errors.New("access denied; allow the action ssm:GetParameter on it")
	case r.code == "InvalidKeyId", r.code == "AccessDeniedException" && (strings.Contains(message, "kms:") || strings.Contains(message, "ciphertext")):
		return errors.New("access denied; allow the action " + decrypt)
	case r.code == "AccessDeniedException", r.status == http.StatusForbidden:
		return errors.New("access denied; allow the action ssm:GetParameter on it and, if it is a SecureString, " + decrypt)
	}
	return errors.New(strings.TrimSpace(fmt.Sprintf("Systems Manager answers %d %s", r.status, r.code)))
}
