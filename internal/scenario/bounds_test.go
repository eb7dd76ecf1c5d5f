package scenario_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/imagepage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// abysses are documents with deeper nesting than the stack allows: complete ones and
// broken ones, nested from the start or later.
func abysses() []string {
	const depth = 5_000_000
	return []string{
		strings.Repeat("[", depth),
		strings.Repeat("[", depth/2) + strings.Repeat("]", depth/2),
		strings.Repeat(`{"a":`, depth/5),
		`{"version": 1, "references": ` + strings.Repeat("[", depth),
		`{"msg": "image", "message": ` + strings.Repeat("[", depth),
		`{"message": ` + strings.Repeat(`{"message": `, depth/10),
		`{"imageDetails": ` + strings.Repeat("[", depth),
		`{"rules": ` + strings.Repeat("[", depth),
		`{"policies": [{"policy": ` + strings.Repeat(`{"a":`, depth/5),
	}
}

// A document must not end the process that reads it by a stack overflow.
func TestNoTextIsTooDeep(t *testing.T) {
	t.Parallel()
	awstest.Each(t, map[string]func(text string) error{
		"configuration":  func(text string) error { _, p := config.Parse([]byte(text)); return p.Err() },
		"request":        func(text string) error { _, p := config.ParseRequest([]byte(text)); return p.Err() },
		"policy":         func(text string) error { _, p := lifecycle.ParseText([]byte(text)); return p.Err() },
		"saved plan":     func(text string) error { _, err := report.ReadPlan([]byte(text)); return err },
		"page of images": func(text string) error { _, err := imagepage.Decode([]byte(text)); return err },
		"list of references": func(text string) error {
			references := list.New("list", func(context.Context, string) (io.ReadCloser, time.Time, error) {
				return io.NopCloser(strings.NewReader(text)), time.Time{}, nil
			}, noon, 0)
			for _, err := range references.Uses(t.Context()) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"log": func(text string) error {
			a, err := audit.Read(strings.NewReader(text), "")
			if err == nil && a.Totals.Listed() == 0 {
				err = errors.New("it lists nothing")
			}
			return err
		},
	}, func(t *testing.T, read func(text string) error) {
		for _, text := range abysses() {
			if err := read(text); err == nil || len(err.Error()) > 5_000 {
				t.Errorf("%.40s…: %.200v", text, err)
			}
		}
	})
}

// The same holds for texts from ECR: manifests and repository policies. The run skips
// those that it cannot read.
func TestNothingInARegistryIsTooDeep(t *testing.T) {
	t.Parallel()
	for _, text := range abysses() {
		f := newQuickFixture(draw("repository bad\n index 90d >child\n child 90d"))
		im := f.server.Images("bad")[0]
		im.Manifest = text
		f.server.Put("bad", im)
		f.server.SetRepositoryPolicy("bad", text)
		report := f.apply(t, configuration("expire any pushed>30", "", ""))
		if n := report.Totals.Deleted; n > 0 || len(f.server.Images("bad")) != 2 {
			t.Errorf("%.40s…: %d images are deleted", text, n)
		}
		f.server.SetLifecyclePolicy("bad", text)
		report = f.apply(t, configuration("attached", "", ""))
		if r := report.Repositories[0]; r.Skipped != plan.SkipInvalidPolicy || len(r.Message) > 5_000 {
			t.Errorf("%.40s…: skipped %q %.200s", text, r.Skipped, r.Message)
		}
	}
}
