package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A hostileRegistry returns the same text in every name, tag and message. It is also an
// in-use source.
type hostileRegistry struct{ text string }

func (h hostileRegistry) Repositories(context.Context) iter.Seq2[plan.Repository, error] {
	return func(yield func(plan.Repository, error) bool) {
		for _, name := range []string{"app", "panics", "fails"} {
			if !yield(plan.Repository{Name: name + h.text, RegistryID: h.text, ARN: h.text}, nil) {
				return
			}
		}
	}
}

func (h hostileRegistry) PolicyText(context.Context, string) (string, error) { return h.text, nil }

func (h hostileRegistry) Images(_ context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		switch {
		case strings.HasPrefix(repository, "panics"):
			panic(h.text)
		case strings.HasPrefix(repository, "fails"):
			yield(nil, errors.New(h.text))
			return
		}
		yield(h.images(), nil)
	}
}

func (h hostileRegistry) images() []evaluator.Image {
	images := make([]evaluator.Image, 3)
	for i := range images {
		images[i] = evaluator.Image{
			Digest: fmt.Sprint("sha256:", i, h.text), Tags: []string{h.text}, PushedAt: evaluator.At(now.Add(-9 * day)), Status: evaluator.Active,
			ManifestMediaType: "application/vnd.oci.image.manifest.v1+json",
		}
	}
	return images
}

func (h hostileRegistry) Children(context.Context, string, []string) (plan.Reading, error) {
	return plan.Reading{}, errors.New(h.text)
}

func (h hostileRegistry) Describe(context.Context, string, []string) ([]evaluator.Image, error) {
	return h.images(), nil
}

func (h hostileRegistry) Delete(_ context.Context, _ string, digests []string) (apply.Deletion, error) {
	return apply.Deletion{Deleted: digests[:1], Failed: []plan.Failure{{Digest: digests[1], Code: h.text, Message: h.text}}}, errors.New(h.text)
}

func (h hostileRegistry) Untag(context.Context, string, []string) (apply.Untagging, error) {
	return apply.Untagging{}, errors.New(h.text)
}

func (h hostileRegistry) Archive(context.Context, string, string) error { return errors.New(h.text) }

func (h hostileRegistry) Name() string { return "ecs" }

func (h hostileRegistry) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) { yield(inuse.Use{}, errors.New(h.text)) }
}

// connect connects to the registry instead of the fixture's.
func (h hostileRegistry) connect(context.Context) (function.Registry, error) {
	return function.Registry{
		Reader: h, Remover: h, Region: h.text, Concurrency: pace.Limits{Start: 1, Most: 1},
		Sources: func(config.Config, string) []inuse.Source { return []inuse.Source{h} },
		Calls:   func() map[string]int { return map[string]int{h.text: 1} },
	}, nil
}

// Each kind of line stays one line with every text, and is in the documentation.
func TestEveryKindOfLineIsHarmless(t *testing.T) {
	t.Parallel()
	documented := documentedLines(t)
	for n, text := range hostile {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			quoted, err := json.Marshal(text)
			awstest.NoError(t, err)
			named := strings.Replace(expireAll, `"old"`, string(quoted), 1)
			odd := strings.NewReplacer(`"inUse": []`, `"inUse": ["ecs"]`, `"tagStatus": "any"`, `"tagStatus": "tagged", "tagPrefixList": ["a", "a"]`).Replace(named)
			f := newFixture(t, named)
			f.Connect, f.FunctionName = hostileRegistry{text}.connect, text
			f.handle(t, `{"mode": "apply"}`)
			f.handle(t, `{"mode": "plan"}`)
			f.Configuration = `{"report": {"html": true}, ` + odd[1:]
			f.handle(t, `{}`)
			f.wantHarmless(t)
			seen := map[string]bool{}
			for line := range strings.Lines(f.log.String()) {
				var said struct{ Msg string }
				awstest.NoError(t, json.Unmarshal([]byte(line), &said))
				seen[said.Msg] = true
			}
			awstest.Equal(t, "kinds of lines", documented, slices.Sorted(maps.Keys(seen)))
		})
	}
}

// documentedLines returns the kinds of lines that the documentation lists, sorted.
func documentedLines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	awstest.NoError(t, err)
	_, section, _ := strings.Cut(string(text), "\n## Log\n")
	_, table, found := strings.Cut(section, "|---|---|---|\n")
	if !found {
		t.Fatal("docs/configuration.md has no table of lines")
	}
	var kinds []string
	for row := range strings.Lines(table) {
		kind, is := strings.CutPrefix(row, "| `")
		if !is {
			break
		}
		kind, _, _ = strings.Cut(kind, "`")
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}
