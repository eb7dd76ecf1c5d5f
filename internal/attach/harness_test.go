package attach_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/policyapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// The scenarios run on the embedded registry, through the SDK's client.

const (
	day     = 24 * time.Hour
	account = "123456789012"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Policies of ECR's own language.
const (
	keep1 = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
	old14 = `{"rules": [{"rulePriority": 1, "description": "old", "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}}]}`
	both  = `{"rules": [
		{"rulePriority": 10, "selection": {"tagStatus": "tagged", "tagPatternList": ["b*", "a*"], "storageClass": "standard", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30}, "action": {"type": "transition", "targetStorageClass": "archive"}},
		{"rulePriority": 20, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
	// bothOtherwise means the same as both.
	bothOtherwise = `{"rules":[{"selection":{"countNumber":1,"tagStatus":"any","countType":"imageCountMoreThan"},"rulePriority":20,"action":{"type":"expire"}},
		{"rulePriority":10,"selection":{"tagStatus":"tagged","tagPatternList":["a*","b*"],"countType":"sinceImagePulled","countUnit":"days","countNumber":30},"action":{"type":"transition","targetStorageClass":"archive"}}]}`
	// broken is a policy that a later ECR may accept.
	broken = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceForever", "countNumber": 1}, "action": {"type": "expire"}}]}`
)

// asked is a configuration with the in-use source ECS.
const asked = `{"protect": {"inUse": ["ecs"]}}`

// A fixture is a registry with a runner and a client.
type fixture struct {
	*testing.T
	*fakeecr.Server
	runner cleaner.Runner
	client policyapi.Client
}

// newFixture returns an empty registry with that configuration, in which nothing is in use.
func newFixture(t *testing.T, configuration string) *fixture {
	t.Helper()
	registry := fakeecr.New(fakeecr.WithClock(func() time.Time { return now }))
	cfg := awstest.Serve(t, registry)
	reader, _ := ecrapi.Connect(cfg)
	client, _ := policyapi.Connect(cfg)
	f := &fixture{T: t, Server: registry, client: client, runner: cleaner.Runner{
		Registry: reader, Config: configure(t, configuration), Region: "eu-west-1", Now: now, Clock: func() time.Time { return now }, Workers: 4,
	}}
	f.uses()
	return f
}

func configure(t *testing.T, configuration string) config.Config {
	t.Helper()
	c, problems := config.Parse([]byte(configuration))
	awstest.Empty(t, "problems", problems)
	return c
}

// uses makes these images, as REPOSITORY:TAG or REPOSITORY@DIGEST, the ones in use by ECS.
func (f *fixture) uses(images ...string) {
	var uses []inuse.Use
	for _, image := range images {
		ref, err := reference.Parse(account + ".dkr.ecr.eu-west-1.amazonaws.com/" + image)
		awstest.NoError(f.T, err)
		uses = append(uses, inuse.Use{Source: "ecs", Reference: ref, By: "task"})
	}
	f.runner.Scan = func(context.Context) inuse.Scan {
		return inuse.Scan{At: now, Uses: uses, Counts: map[string]int{"ecs": len(uses)}}
	}
}

// add creates a repository with the policy and an image for each tag. Both may be "". Each
// image is a day older than the one before.
func (f *fixture) add(name, policy string, tags ...string) {
	f.CreateRepository(name)
	f.SetLifecyclePolicy(name, policy)
	for i, tag := range tags {
		im := fakeecr.Image{PushedAt: now.Add(-time.Duration(i+1) * day)}
		if tag != "" {
			im.Tags = []string{tag}
		}
		f.Put(name, im)
	}
}

func (f *fixture) planner() attach.Planner { return attach.Planner{Runner: &f.runner} }

// attach plans to attach the text to every repository, or the policies of the configuration
// if the text is "".
func (f *fixture) attach(text string) attach.Plan {
	f.Helper()
	var document *attach.Document
	if text != "" {
		d := attach.Read(text)
		document = &d
	}
	plan, err := f.planner().Attach(f.Context(), document)
	awstest.NoError(f.T, err)
	return plan
}

func (f *fixture) detach() attach.Plan {
	f.Helper()
	plan, err := f.planner().Detach(f.Context())
	awstest.NoError(f.T, err)
	return plan
}

func (f *fixture) apply(plan *attach.Plan) {
	f.Helper()
	attach.Apply(f.Context(), &f.runner, plan, f.client)
}

// changes returns the changes by repository.
func changes(plan *attach.Plan) map[string]string {
	return summary(plan, func(r *attach.Repository) string { return string(r.Change) })
}

// outcomes returns the outcomes by repository.
func outcomes(plan *attach.Plan) map[string]string {
	return summary(plan, func(r *attach.Repository) string { return string(r.Outcome) })
}

func summary(plan *attach.Plan, of func(*attach.Repository) string) map[string]string {
	by := map[string]string{}
	for i := range plan.Repositories {
		if text := of(&plan.Repositories[i]); text != "" {
			by[plan.Repositories[i].Name] = text
		}
	}
	return by
}

// difference returns the difference of the first repository, a line a rule.
func difference(plan *attach.Plan) string {
	var b strings.Builder
	for _, line := range plan.Repositories[0].Difference() {
		fmt.Fprintf(&b, "%s %s\n", line.Sign, line.Rule)
	}
	return b.String()
}
