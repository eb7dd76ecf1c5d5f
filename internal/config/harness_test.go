package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// keep3 is the policy of testdata/all.json.
const keep3 = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged",
	"countType": "imageCountMoreThan", "countNumber": 3}, "action": {"type": "expire"}}]}`

// mustParse returns the configuration that the text means.
func mustParse(t *testing.T, text string) config.Config {
	t.Helper()
	c, problems := config.Parse([]byte(text))
	if problems.Err() != nil {
		t.Fatalf("Parse(%s): %v", text, problems)
	}
	return c
}

// mustRequest returns the request that the event holds.
func mustRequest(t *testing.T, event string) config.Request {
	t.Helper()
	r, problems := config.ParseRequest([]byte(event))
	if len(problems) > 0 {
		t.Fatalf("ParseRequest(%s): %v", event, problems)
	}
	return r
}

// narrow returns the configuration narrowed by the request.
func narrow(t *testing.T, c config.Config, r config.Request) config.Config {
	t.Helper()
	narrowed, err := c.Narrow(r)
	if err != nil {
		t.Fatalf("Narrow(%+v): %v", r, err)
	}
	return narrowed
}

func mustPolicy(t *testing.T, text string) lifecycle.Policy {
	t.Helper()
	p, problems := lifecycle.Parse([]byte(text), lifecycle.AWS)
	if len(problems) > 0 {
		t.Fatalf("policy %s: %v", text, problems)
	}
	return p
}

func patterns(texts ...string) []wildcard.Pattern {
	compiled := make([]wildcard.Pattern, len(texts))
	for i, text := range texts {
		compiled[i] = wildcard.Compile(text)
	}
	return compiled
}

// lines returns problems as lines.
func lines(problems jsondoc.Problems) []string {
	texts := []string{}
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return texts
}

// equal checks that both values are the same and prints their difference.
func equal(t *testing.T, what string, want, got any, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("%s mismatch (-want +got):\n%s", what, diff)
	}
}
