package cleaner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// failing makes the first n calls of Delete and Archive end with err, the work
// undone, and calls then after each.
func failing(r *remover, n int, err error, then func(call int)) *int {
	calls := 0
	fail := func() bool {
		if calls++; calls > n {
			return false
		}
		if then != nil {
			then(calls)
		}
		return true
	}
	remove, archive := r.delete, r.archive
	r.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
		if fail() {
			return cleaner.Deletion{}, err
		}
		return remove(ctx, repository, digests)
	}
	r.archive = func(ctx context.Context, repository, digest string) error {
		if fail() {
			return err
		}
		return archive(ctx, repository, digest)
	}
	return &calls
}

// set changes an image of the repository "app".
func (w *fakeRegistry) set(digest string, change func(*evaluator.Image)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.images["app"], func(im evaluator.Image) bool { return im.Digest == digest })
	change(&w.images["app"][i])
}

func numbered(n int, age time.Duration) []evaluator.Image {
	images := make([]evaluator.Image, n)
	for i := range images {
		images[i] = image(fmt.Sprintf("sha256:%04d", i), age)
	}
	return images
}

// checkAccount checks that the outcomes of a run add up to its plan: each image has
// either a protection or an outcome. In a skipped repository no image is removed. All
// runs in this package's tests are checked.
func checkAccount(t *testing.T, report *cleaner.Report) {
	t.Helper()
	if report.Mode != config.Apply {
		return
	}
	for _, repository := range report.Repositories {
		for _, im := range repository.Images {
			protected, settled := len(im.ProtectedBy) > 0, im.Outcome != ""
			switch {
			case repository.Skipped == "" && protected != settled:
			case repository.Skipped != "" && (!settled || !protected && slices.Contains(leftAlone, im.Outcome)):
			default:
				t.Errorf("%s/%s: skipped %q, protected by %v, outcome %q", repository.Name, im.ImageDigest, repository.Skipped, im.ProtectedBy, im.Outcome)
			}
		}
	}
	for _, f := range report.Findings {
		if f.Kind == cleaner.ProgramFault {
			t.Errorf("finding %s", f.Message)
		}
	}
}

func pulled(im evaluator.Image, ago time.Duration) evaluator.Image {
	im.LastRecordedPullTime = evaluator.At(now.Add(-ago))
	return im
}

func restored(im evaluator.Image, ago time.Duration) evaluator.Image {
	im.LastActivatedAt = evaluator.At(now.Add(-ago))
	return im
}

func withStatus(im evaluator.Image, status evaluator.ImageStatus) evaluator.Image {
	im.Status = status
	return im
}

func withSubject(im evaluator.Image, subject string) evaluator.Image {
	im.SubjectDigest = subject
	return im
}

// A logged is a log of which the lines about images can be read.
type logged struct{ bytes.Buffer }

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(&l.Buffer, nil)) }

// outcomes returns outcome and message of each line about an image, by digest.
// A second line on the same image is an error.
func (l *logged) outcomes(t *testing.T) map[string]string {
	t.Helper()
	by := map[string]string{}
	for line := range strings.Lines(l.String()) {
		var fields struct{ Msg, Digest, Outcome, Message string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if fields.Msg != "image" {
			continue
		}
		if first, twice := by[fields.Digest]; twice {
			t.Errorf("%s is in the log twice: %s, and %s: %s", fields.Digest, first, fields.Outcome, fields.Message)
		}
		by[fields.Digest] = strings.TrimSuffix(fields.Outcome+": "+fields.Message, ": ")
	}
	return by
}

// reported returns outcome and message of each image of the repository "app"
// that has one.
func reported(t *testing.T, report *cleaner.Report) map[string]string {
	t.Helper()
	by := map[string]string{}
	for _, im := range repositoryOf(t, report, "app").Images {
		if im.Outcome != "" {
			by[im.ImageDigest] = strings.TrimSuffix(string(im.Outcome)+": "+im.Message, ": ")
		}
	}
	return by
}

// limited is expireAll with these limits.
func limited(limits string) string {
	return `{"policies": [{"name": "old", "policy": ` + expireOld + `}], ` + unprotected + `, "limits": {` + limits + `}}`
}

// outdate makes the first scan too old as soon as a plan relies upon it, and
// calls then when somebody notices.
func outdate(r *cleaner.Runner, then func()) {
	asked := 0
	r.Clock = func() time.Time {
		if asked++; asked <= 3 { // beginning and end of the first scan, and its age for the plan
			return now
		}
		if asked == 4 {
			then()
		}
		return now.Add(cleaner.MaxScanAge + time.Second)
	}
}

// protectedBy returns what protects the images of the repository "app".
func protectedBy(report *cleaner.Report) map[string]string {
	by := map[string]string{}
	for _, r := range report.Repositories {
		for _, im := range r.Images {
			if r.Name == "app" {
				by[im.ImageDigest] = fmt.Sprint(im.ProtectedBy)
			}
		}
	}
	return by
}

// scanned is expireAll with what is in use asked for.
const scanned = `{"policies": [{"name": "old", "policy": ` + expireOld + `}],
	"protect": {"inUse": ["ecs", "lambda"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`

// scans makes the runner's scans answer these, one after the other; the last
// one again and again.
func scans(r *cleaner.Runner, list ...inuse.Scan) *int {
	made := 0
	r.Clock = func() time.Time { return now }
	r.Scan = func(context.Context) inuse.Scan {
		scan := list[min(made, len(list)-1)]
		made++
		if scan.At.IsZero() {
			scan.At = r.Clock()
		}
		return scan
	}
	return &made
}

// use returns the use of an image of the repository "app", named by tag or
// digest.
func use(name, by string) inuse.Use {
	ref := reference.Reference{RegistryID: account, Region: "eu-west-1", Repository: "app", Tag: name}
	if strings.HasPrefix(name, "sha256:") {
		ref.Tag, ref.Digest = "", name
	}
	return inuse.Use{Reference: ref, By: by, Source: "ecs"}
}

// aging makes the runner's clock pass the age of a scan at the n-th removing
// call.
func aging(r *cleaner.Runner, remover remover, at int) {
	clock, calls := now, 0
	remove := remover.delete
	remover.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
		if calls++; calls == at {
			clock = clock.Add(cleaner.MaxScanAge + time.Second)
		}
		return remove(ctx, repository, digests)
	}
	r.Remover, r.Clock = remover, func() time.Time { return clock }
}

// newRegistry returns an empty registry with the repository "app", and a
// runner that applies the configuration to it.
func newRegistry(t *testing.T, text string) (*fakeecr.Server, cleaner.Runner) {
	t.Helper()
	registry := fakeecr.New(fakeecr.WithClock(func() time.Time { return now }))
	registry.CreateRepository("app")
	server := httptest.NewServer(registry)
	t.Cleanup(server.Close)
	client, _ := ecrapi.Connect(awsclient.Local(server.URL, "eu-west-1"))
	r := newRunner(t, &fakeRegistry{}, text)
	r.Registry, r.Remover = client, client
	return registry, r
}

// push stores an image pushed that long ago.
func push(registry *fakeecr.Server, age time.Duration, im fakeecr.Image) string {
	im.PushedAt = now.Add(-age)
	return registry.Put("app", im)
}

func stored(registry *fakeecr.Server) []string {
	var digests []string
	for _, im := range registry.Images("app") {
		digests = append(digests, im.Digest)
	}
	return digests
}

func runNamed(t *testing.T, r *cleaner.Runner, names ...string) cleaner.Report {
	t.Helper()
	report, err := r.RunNamed(t.Context(), "app", names)
	if err != nil {
		t.Fatalf("RunNamed(%v): %v", names, err)
	}
	return report
}

// refuse makes Delete fail for the digest with the code.
func refuse(r *remover, digest, code string) {
	next := r.delete
	r.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
		rest := slices.DeleteFunc(slices.Clone(digests), func(d string) bool { return d == digest })
		done, err := next(ctx, repository, rest)
		if len(rest) < len(digests) {
			done.Failed = append(done.Failed, cleaner.Failure{Digest: digest, Code: code})
		}
		return done, err
	}
}

// slowest returns a registry that lists the images of one repository only a
// while after they were asked for.
func slowest(r reader, name string) reader {
	images := r.images
	r.images = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		if repository == name {
			<-time.After(3 * time.Millisecond)
		}
		return images(ctx, repository)
	}
	return r
}

// changeAfterListing changes the registry between plan and removal.
type changeAfterListing struct {
	reader
	w *fakeRegistry
}

// expireDead expires images with a tag dead*.
const expireDead = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPrefixList": ["dead"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}`

func withPolicy(policy, more string) string {
	return `{"policies": [{"name": "p", "policy": ` + policy + `}], ` + unprotected + more + `}`
}

// leftAlone are the outcomes of an image in a repository that was skipped.
var leftAlone = []cleaner.Outcome{cleaner.Gone, cleaner.Changed, cleaner.Failed}

func (s changeAfterListing) Children(ctx context.Context, repository string, indexes []string) (cleaner.Reading, error) {
	s.w.mu.Lock()
	for i := range s.w.images[repository] {
		switch im := &s.w.images[repository][i]; im.Digest {
		case "sha256:changed":
			im.Tags = []string{"dead-2", "v2"}
		case "sha256:gone":
			im.Digest = "sha256:another"
		}
	}
	s.w.mu.Unlock()
	return s.reader.Children(ctx, repository, indexes)
}

var (
	errThrottled  = fmt.Errorf("delete: %w", cleaner.ErrThrottled)
	errUnanswered = fmt.Errorf("delete: %w", cleaner.ErrUnanswered)
)

func applyTo(t *testing.T, r cleaner.Remover, plan *cleaner.RepositoryPlan) {
	t.Helper()
	cleaner.Apply(t.Context(), r, plan, slog.New(slog.DiscardHandler))
}

// planOf returns a plan that removes these images.
func planOf(action evaluator.Action, images ...evaluator.Image) *cleaner.RepositoryPlan {
	plan := &cleaner.RepositoryPlan{Repository: "app", Listed: len(images)}
	for _, im := range images {
		plan.Images = append(plan.Images, cleaner.PlannedImage{Image: im, Action: action, Rule: 1, Reason: "old"})
	}
	return plan
}

// settled returns outcome and message of every image of the plan, by digest.
func settled(plan *cleaner.RepositoryPlan) map[string]string {
	by := map[string]string{}
	for _, im := range plan.Images {
		by[im.Digest] = string(im.Outcome)
		if im.Message != "" {
			by[im.Digest] += ": " + im.Message
		}
	}
	return by
}

// losing returns a plan by which the images lose the tags "t-" and their
// digests.
func losing(images ...evaluator.Image) *cleaner.RepositoryPlan {
	plan := planOf(evaluator.Untag, images...)
	for i := range plan.Images {
		plan.Images[i].Untag = []string{"t-" + plan.Images[i].Digest}
	}
	return plan
}

// story returns the lines about images in short: the message, the digest, and
// the attempt or the outcome.
func (l *logged) story(t *testing.T) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(l.String()) {
		var fields struct {
			Msg, Digest, Outcome string
			Attempt              int
			Unconfirmed          bool
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		switch {
		case fields.Msg == "intent":
			lines = append(lines, fmt.Sprint("intent ", fields.Digest, " ", fields.Attempt))
		case fields.Unconfirmed:
			lines = append(lines, fields.Digest+" "+fields.Outcome+", unconfirmed")
		default:
			lines = append(lines, fields.Digest+" "+fields.Outcome)
		}
	}
	return lines
}

// deletions returns the digests of each delete call, sorted.
func (w *fakeRegistry) deletions() [][]string {
	var calls [][]string
	for i, call := range w.calls {
		if call == "delete" {
			calls = append(calls, sorted(w.batches[i]))
		}
	}
	return calls
}

func changingAfterListing(w *fakeRegistry) changeAfterListing {
	return changeAfterListing{reader: w.reader(), w: w}
}
