package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// secretive is a policy with words that are nobody's business, and with a fault.
func secretive(fault string) string {
	return fmt.Sprintf(`{"rules": [{"rulePriority": 1, "description": "secret-words", "selection": {"tagStatus": "any",
		"countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}%s]}`, fault)
}

// The function never reveals its input, whatever goes wrong: neither its
// credentials, for which every test of this package looks, nor the policies.
func TestNothingIsGivenAway(t *testing.T) {
	t.Parallel()
	good := `{"mode": "apply", "protect": {"inUse": []}, "policies": [{"name": "own", "repositories": ["own"], "policy": ` + secretive("") + `},
		{"name": "attached", "repositories": ["*"], "policy": "attached"}]}`
	for name, test := range map[string]struct {
		configuration, event string
		disturb              func(*fakeecr.Server)
		words                string // in the log or the answer
	}{
		"a run":                  {good, `{}`, nil, `"msg":"run"`},
		"a plan":                 {good, `{"mode": "plan"}`, nil, `"msg":"images"`},
		"a policy of the event":  {good, `{"mode": "plan", "policy": ` + secretive("") + `}`, nil, `"msg":"images"`},
		"a bad policy in it":     {good, `{"mode": "plan", "policy": ` + secretive(", 7") + `}`, nil, "RequestError"},
		"a bad configuration":    {strings.Replace(good, `"expire"`, `"expired"`, 1), `{}`, nil, "ConfigurationError"},
		"a broken configuration": {good[:len(good)-3], `{}`, nil, "ConfigurationError"},
		"a bad attached policy": {good, `{}`, func(s *fakeecr.Server) {
			s.SetLifecyclePolicy("other", secretive(`, {"rulePriority": 1, "description": "secret-words"}`))
		}, "invalid policy"},
		"a broken attached policy":   {good, `{}`, func(s *fakeecr.Server) { s.SetLifecyclePolicy("other", "secret-words {") }, "invalid policy"},
		"a broken repository policy": {good, `{}`, func(s *fakeecr.Server) { s.SetRepositoryPolicy("own", `{"secret-words": `) }, `"msg":"run"`},
		"no listing":                 {good, `{}`, func(s *fakeecr.Server) { s.Fail("DescribeRepositories", "", "UnrecognizedClientException") }, "RegistryError"},
		"a refusal":                  {good, `{}`, func(s *fakeecr.Server) { s.Fail("BatchDeleteImage", "", "AccessDeniedException") }, "failed"},
		"no answers": {good, `{}`, func(s *fakeecr.Server) {
			s.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: fakeecr.HTMLAnswer, Operation: "GetLifecyclePolicy", Probability: 1}}})
		}, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakeecr.New()
			for _, repository := range []string{"own", "other"} {
				server.CreateRepository(repository)
				server.SetLifecyclePolicy(repository, secretive(""))
				for days := range 3 {
					server.Put(repository, fakeecr.Image{PushedAt: time.Now().AddDate(0, 0, -10-days)})
				}
			}
			if test.disturb != nil {
				test.disturb(server)
			}
			answers, log := env{registry: server, configuration: test.configuration, environment: []string{"AWS_MAX_ATTEMPTS=2"}}.invoke(t, test.event)
			awstest.Contains(t, log+answers[0].body, test.words)
		})
	}
}
