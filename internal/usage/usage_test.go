package usage_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const (
	account = fixture.Account
	day     = fixture.Day
	scanned = fixture.Scanned
)

var (
	image           = fixture.Image
	newFakeRegistry = fixture.NewFakeRegistry
	newRunner       = fixture.NewRunner
	run             = fixture.Run
	scans           = fixture.Scans
)

// listed is a configuration with a list of references instead of services.
const listed = `{"policies": [{"name": "old", "policy": ` + fixture.ExpireOld + `}],
	"protect": {"inUse": [], "references": ["list"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`

// uses returns uses of the references by ECS.
func uses(t *testing.T, references ...string) []inuse.Use {
	t.Helper()
	var all []inuse.Use
	for i, text := range references {
		ref, err := reference.ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, inuse.Use{Reference: ref, By: fmt.Sprint("task/", i), Source: "ecs"})
	}
	return all
}

// inList changes the uses to uses by the list.
func inList(uses []inuse.Use) []inuse.Use {
	for i := range uses {
		uses[i].Source = "list"
	}
	return uses
}

// found returns the findings of that kind.
func found(report *report.Report, kind finding.Kind) []string {
	var messages []string
	for _, f := range report.Findings {
		if f.Kind == kind {
			messages = append(messages, strings.TrimPrefix(f.Repository+": ", ": ")+f.Message)
		}
	}
	return messages
}

const registryHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"

func TestAContainerWithoutADigestIsAFinding(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 9*day))
	r := newRunner(t, w, scanned)
	running := uses(t, slices.Repeat([]string{registryHost + "app:v1"}, 7)...)
	for i := range running {
		running[i].Runs = true
	}
	elsewhere := uses(t, "docker.io/other/app:v9")
	elsewhere[0].Runs = true
	scans(&r, inuse.Scan{Uses: append(running, elsewhere...)})
	report := run(t, &r)
	want := []string{"app: no digest is recorded for 7 running containers; the images with the tag are kept, which may be different images: " +
		strings.Join([]string{"task/0", "task/1", "task/2", "task/3", "task/4"}, " runs "+registryHost+"app:v1; ") + " runs " + registryHost + "app:v1; and 2 more"}
	awstest.Equal(t, "findings", want, found(&report, finding.UnresolvedDigest))
	awstest.Equal(t, "handled", true, report.Handled())
}

func TestATagThatHasMovedFromARunningImageIsAFinding(t *testing.T) {
	t.Parallel()
	const moved = "app: the tag of 1 running image has moved; a new container may run a different image: task/0 runs " + registryHost + "app:v1@sha256:old, and the tag is on sha256:new now"
	for name, c := range map[string]struct {
		digest, tag string
		runs        bool
		want        []string
	}{
		"moved":                             {"sha256:old", "v1", true, []string{moved}},
		"in place":                          {"sha256:new", "v1", true, nil},
		"on the index of the running image": {"sha256:c", "multi", true, nil},
		"on one of two":                     {"sha256:new", "both", true, nil},
		"on no image":                       {"sha256:old", "none", true, nil},
		"by something that does not run":    {"sha256:old", "v1", false, nil},
		"of an image that is not listed":    {"sha256:lost", "v1", true, nil},
		"of a reference without that tag":   {"sha256:old", "", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFakeRegistry(image("sha256:old", 9*day, "both"), image("sha256:new", 8*day, "v1", "both"), fixture.Index("sha256:i", 9*day, "multi"), image("sha256:c", 9*day))
			w.Children["sha256:i"] = []string{"sha256:c"}
			r := newRunner(t, w, scanned)
			scans(&r, inuse.Scan{Uses: []inuse.Use{{
				Reference: reference.Reference{RegistryID: account, Region: "eu-west-1", Repository: "app", Tag: c.tag, Digest: c.digest},
				By:        "task/0", Source: "ecs", Runs: c.runs,
			}}})
			report := run(t, &r)
			awstest.Equal(t, "findings", c.want, found(&report, finding.MovedTag))
		})
	}
}

// A use of a digest without a repository is a use in each repository that has the digest.
func TestADigestWithoutARepositoryIsInUseInEach(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day), image("sha256:b", 9*day)).Add("other", image("sha256:a", 9*day)).Add("third", image("sha256:c", 9*day))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Uses: []inuse.Use{{Reference: reference.Reference{Digest: "sha256:a"}, By: "task", Source: "ecs"}}})
	report := run(t, &r)
	for repository, want := range map[string][]string{"app": {"sha256:a"}, "other": {"sha256:a"}, "third": {}} {
		awstest.Equal(t, repository+": left", want, w.Digests(repository))
	}
	awstest.Equal(t, "findings", []string(nil), found(&report, finding.UnlistedReference))
}

func TestAnImageWithoutAReadableNameIsAFinding(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(image("sha256:a", 9*day, "v1")), scanned)
	scans(&r, inuse.Scan{Uses: append(uses(t, registryHost+"app:v1"),
		inuse.Use{By: "task/1", Source: "ecs", Problem: "a container names neither image nor digest"}, inuse.Use{By: "task/2", Source: "other", Problem: "x"})})
	report := run(t, &r)
	want := []string{"1 container uses an image that the cleaner cannot identify: task/1: a container names neither image nor digest"}
	awstest.Equal(t, "findings", want, found(&report, finding.UnreadableReference))
	awstest.Equal(t, "handled", true, report.Handled())
}

// A host gets one finding, with the number of references that name it.
func TestHostsThatAreNoRegistryAreCounted(t *testing.T) {
	t.Parallel()
	const advice = "; map the host with protect.registryAliases. "
	for name, c := range map[string]struct {
		configuration string
		uses          []inuse.Use
		want          []string
	}{
		"a service": {scanned, uses(t, "p.example.com/app:v1", "p.example.com/app:v1", "p.example.com/app:v2", "p.example.com/x/y:1", "quay.io/x/y", "nginx", "q.example.com/x/y"), []string{
			"3 references name the host p.example.com, which is not an ECR registry. 2 of them protect images of repositories here, whose name is the path of the reference or its end" + advice +
				"An example is p.example.com/app:v1, used by task/0",
		}},
		"a list": {listed, inList(uses(t, registryHost+"app:v1", "p.example.com/x/y:1", "nginx", "docker.io/x/y", "x/app:v1")), []string{
			"2 references name no registry host. 1 of them protects images of repositories here, whose name is the path of the reference or its end; " +
				"write them with the host of the registry. An example is x/app:v1, used by task/4",
			"1 reference names the host p.example.com, which is not an ECR registry. 0 of them protect images of repositories here, whose name is the path of the reference or its end" + advice +
				"An example is p.example.com/x/y:1, used by task/1",
		}},
		"a list with a misspelt repository": {listed, inList(uses(t, registryHost+"app:v1", "team/typo:v1", "docker.io/x/y")), []string{
			"1 reference names no registry host. 0 of them protect images of repositories here, whose name is the path of the reference or its end; " +
				"write them with the host of the registry. An example is team/typo:v1, used by task/1",
		}},
		"none": {scanned, uses(t, registryHost+"app:v1"), nil},
	} {
		r := newRunner(t, newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 9*day, "v2")), c.configuration)
		scans(&r, inuse.Scan{Uses: c.uses, Counts: map[string]int{"ecs": 1, "list": 1}})
		report := run(t, &r)
		awstest.Equal(t, name+": findings", c.want, found(&report, finding.UnknownRegistryHost))
		awstest.Equal(t, name+": handled", true, report.Handled())
	}
}

// A reference to another host is no finding if the image is not in this registry.
func TestAnUnlistedImageOfAnotherHostIsNoFinding(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(image("sha256:a", 9*day, "v1")), scanned)
	scans(&r, inuse.Scan{Uses: uses(t, "docker.io/library/app:v9")})
	report := run(t, &r)
	if got := found(&report, finding.UnlistedReference); got != nil || len(found(&report, finding.NothingReferences)) != 1 {
		t.Errorf("findings %v", report.Findings)
	}
}

// A list that means no image of this registry is most likely broken, and has failed.
func TestAListThatProtectsNothingHasFailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		references []string
		fails      bool
	}{
		"other hosts":                       {[]string{"p.example.com/x/y:1", "nginx"}, true},
		"words":                             {[]string{"Unauthorized"}, true},
		"another registry of ECR":           {[]string{"210987654321.dkr.ecr.eu-west-1.amazonaws.com/xx:1", "nginx"}, false},
		"a path of a repository":            {[]string{"nginx", "p.example.com/app:v9"}, false},
		"a repository that is not selected": {[]string{"p.example.com/excluded:v9"}, false},
		"nothing":                           {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFakeRegistry(image("sha256:a", 9*day, "v1")).Add("excluded", image("sha256:a", 9*day))
			r := newRunner(t, w, strings.Replace(listed, "{", `{"repositories": {"exclude": ["excluded"]}, `, 1))
			scan := inuse.Scan{Uses: inList(uses(t, c.references...)), Counts: map[string]int{"list": 0}, Elsewhere: map[string]int{}}
			for _, use := range scan.Uses {
				if use.Reference.RegistryID == "" {
					scan.Elsewhere["list"]++
				} else {
					scan.Counts["list"]++
				}
			}
			scans(&r, scan)
			report := run(t, &r)
			skip := report.Repositories[0]
			if failed := skip.Skipped == plan.SkipScanFailed; failed != c.fails || failed && !strings.Contains(skip.Message, "in the list names an ECR registry or, by its path, a repository here") {
				t.Errorf("skipped %q: %s", skip.Skipped, skip.Message)
			}
		})
	}
}

// If the role may not list the registry, a list may mean repositories that are not known.
func TestAListMayMeanRepositoriesThatCannotBeListed(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"))
	r := newRunner(t, w, strings.Replace(listed, "{", `{"repositories": {"include": ["app"]}, `, 1))
	r.Registry = unlistable{r.Registry}
	scans(&r, inuse.Scan{Uses: inList(uses(t, "p.example.com/x/y:1")), Counts: map[string]int{"list": 0}, Elsewhere: map[string]int{"list": 1}})
	report := run(t, &r)
	skip := report.Repositories[0]
	if skip.Skipped != plan.SkipScanFailed || !strings.Contains(skip.Message, "whether they name others is not known, because the role may not list the registry") {
		t.Errorf("skipped %q: %s", skip.Skipped, skip.Message)
	}
	hosts := found(&report, finding.UnknownRegistryHost)
	if len(hosts) != 1 || !strings.Contains(hosts[0], "Whether they mean other repositories is not known") {
		t.Errorf("findings %q", hosts)
	}
}

// An unlistable registry describes repositories by name only.
type unlistable struct{ plan.Registry }

func (u unlistable) Repositories(context.Context) iter.Seq2[plan.Repository, error] {
	return func(yield func(plan.Repository, error) bool) { yield(plan.Repository{}, plan.ErrAccessDenied) }
}

func (u unlistable) RepositoriesNamed(ctx context.Context, names []string) ([]plan.Repository, error) {
	var all []plan.Repository
	for repository, err := range u.Registry.Repositories(ctx) {
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, repository.Name) {
			all = append(all, repository)
		}
	}
	return all, nil
}

// A source that had uses of other hosts before, and has none now, is most likely broken.
func TestASourceWithoutItsUsesOfOtherHostsHasFailed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		counts, elsewhere int
		fails             bool
	}{{0, 0, true}, {0, 1, false}, {1, 0, false}} {
		w := newFakeRegistry(image("sha256:a", 9*day)).Add("other", image("sha256:b", 9*day))
		r := newRunner(t, w, scanned)
		r.Workers = 1
		made := scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 0}, Elsewhere: map[string]int{"ecs": 2}},
			inuse.Scan{Counts: map[string]int{"ecs": c.counts}, Elsewhere: map[string]int{"ecs": c.elsewhere}})
		fixture.Outdate(&r, func() {})
		report := run(t, &r)
		if failed := len(fixture.Skips(&report)) > 0; failed != c.fails || *made < 2 {
			t.Errorf("%+v: skipped %v after %d scans", c, fixture.Skips(&report), *made)
		}
	}
}

// attach applies the same protection by path.
func TestForecastProtectsByPath(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Uses: uses(t, "p.example.com/team/app:v1")})
	entry := fixture.EntryOf(t, scanned)
	f, err := r.PlannerOf(account).Forecast(t.Context(), "app", entry.Policy, entry.Protect)
	if err != nil || len(f.Images) != 1 || !slices.Equal(f.Images[0].UsedBy, []string{"task/0"}) {
		t.Errorf("images %+v, %v", f.Images, err)
	}
	if len(f.Findings) != 1 || f.Findings[0].Kind != finding.UnknownRegistryHost || f.Findings[0].Repository != "app" {
		t.Errorf("findings %+v", f.Findings)
	}
	scans(&r, inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("down")}}})
	if f, err := r.PlannerOf(account).Forecast(t.Context(), "app", entry.Policy, entry.Protect); err != nil || f.InUseUnknown == nil {
		t.Errorf("in use unknown: %v, %v", f.InUseUnknown, err)
	}
}

// delete applies the same protection by path.
func TestNamedImagesAreProtectedByPath(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 9*day, "v2"))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Uses: uses(t, "p.example.com/team/app:v1", "q.example.com/other:v1")})
	report := fixture.RunNamed(t, &r, "v1", "v2")
	awstest.Equal(t, "left", []string{"sha256:a"}, w.Digests("app"))
	awstest.Equal(t, "findings", 1, len(found(&report, finding.UnknownRegistryHost)))
}
