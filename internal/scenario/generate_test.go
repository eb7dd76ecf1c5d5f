package scenario_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A trial is a random registry with the configuration and the uses.
type trial struct {
	picture  picture
	policies map[string]string // by repository, in the words of policy
	// The settings that all repositories have.
	tagPatterns         []string
	keepNewest          int
	pulledWithinDays    int
	pushedWithinHours   int
	orphans, onExpire   string
	perRepository       int
	percent, perRun     int
	uses                []use
	relies              map[string]string // the only source that counts for a repository; else both do
	refused             map[string]string // codes of BatchDeleteImage, by name
	pullsAreNotRecorded bool
	// steady is true if one run has the same result as several runs.
	steady bool
}

// trialSources are the in-use sources of a trial.
var trialSources = []string{"ecs", "eks"}

// A use is a reference to an image of this registry or of another one, or to all images
// of the repository.
type use struct {
	source                string
	repository, tag, name string
	elsewhere, all        bool
}

func (u use) String() string {
	text := u.repository
	if u.elsewhere {
		text = strings.Replace(host, region, "eu-central-1", 1) + "/" + text
	}
	if u.tag != "" {
		text += ":" + u.tag
	}
	if u.name != "" {
		text += "@" + u.name
	}
	if u.all {
		text += " all"
	}
	return "user " + text
}

// generate makes a trial with the random numbers of r.
func generate(r *rand.Rand) trial {
	t := trial{
		policies: map[string]string{}, relies: map[string]string{}, refused: map[string]string{}, orphans: pick(r, "keep", "delete"), onExpire: pick(r, "delete", "delete", "delete", "archive"),
		keepNewest: pick(r, 0, 0, 1, 2, 3), pulledWithinDays: pick(r, 0, 7), pushedWithinHours: pick(r, 0, 24),
		perRepository: 1000, percent: 100, perRun: 10000, pullsAreNotRecorded: r.IntN(2) == 0,
		tagPatterns: pick(r, []string{}, []string{}, []string{"latest"}, []string{"prod-*"}),
	}
	if r.IntN(8) == 0 {
		t.perRepository, t.percent, t.perRun = r.IntN(6), r.IntN(101), r.IntN(8)
	}
	for i := range pick(r, 1, 1, 1, 2, 3) {
		name := fmt.Sprintf("repo-%d", i)
		t.policies[name] = randomPolicy(r)
		if r.IntN(4) == 0 {
			t.relies[name] = pick(r, trialSources...)
		}
		repo := randomRepository(r, name)
		if r.IntN(4) == 0 {
			repo.attached = strings.NewReplacer("untag ", "expire ", "retain prod*", "expire prod* count>3", "retain dead*", "expire dead* count>3").Replace(t.policies[name])
			t.policies[name] = repo.attached
		}
		t.picture = append(t.picture, repo)
	}
	for range r.IntN(4) {
		t.uses = append(t.uses, randomUse(r, t.picture))
	}
	if r.IntN(10) == 0 {
		repo := pick(r, t.picture...)
		t.refused[pick(r, repo.images...).name] = pick(r, "KmsError", "ImageReferencedByManifestList")
	}
	return t
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// randomRepository draws images. Each image is pushed after its children. The names, and
// so the digests, are the same in all repositories.
func randomRepository(r *rand.Rand, name string) repository {
	n := 1 + r.IntN(14)
	if r.IntN(400) == 0 {
		n = 90 + r.IntN(150)
	}
	ages := make([]time.Duration, n)
	for i := range ages {
		days := pick(r, 0, 1, 2, 6, 7, 8, 29, 30, 31, 90, 200, 400, 500)
		ages[i] = time.Duration(days)*day + pick(r, 0, 0, time.Hour, 3*time.Hour, time.Millisecond)
	}
	slices.Sort(ages)
	slices.Reverse(ages)
	repo := repository{name: name}
	for i, age := range ages {
		repo.images = append(repo.images, randomImage(r, i, n, age))
	}
	if r.IntN(20) == 0 { // nothing but referrers
		repo.images = slices.DeleteFunc(repo.images, func(im image) bool { return im.subject == "" && im.name != "i0" })
		repo.images[0].subject = "gone"
	}
	return repo
}

// randomImage draws image i of n.
func randomImage(r *rand.Rand, i, n int, age time.Duration) image {
	im := image{name: fmt.Sprint("i", i), age: age, docker: r.IntN(5) == 0, activating: r.IntN(40) == 0}
	earlier := func() string {
		if i == 0 || r.IntN(8) == 0 {
			return fmt.Sprint("gone", r.IntN(3))
		}
		return fmt.Sprint("i", max(r.IntN(i), i-1-r.IntN(6)))
	}
	switch kind := r.IntN(12); kind {
	case 0, 1, 2:
		im.index = true
		for range r.IntN(5) {
			im.children = append(im.children, earlier())
		}
		im.unreadable = r.IntN(10) == 0
		if r.IntN(6) == 0 {
			im.subject = earlier()
		}
	case 3, 4:
		im.subject = earlier()
	case 5: // tags come after the push, so that tags can make images related in a cycle
		if subject := pick(r, earlier(), fmt.Sprint("i", r.IntN(n))); subject != im.name {
			im.tags = append(im.tags, pick(r, "sig:", "att:", "sbom:")+subject)
		}
	case 6:
		im.index, im.children = true, []string{earlier()}
		im.tags = append(im.tags, "fallback:"+earlier())
	}
	for range pick(r, 0, 0, 0, 1, 1, 2) {
		im.tags = append(im.tags, fmt.Sprintf("%s-%d", pick(r, "v", "prod", "dead"), r.IntN(2*n)))
	}
	if i == n-1 && r.IntN(3) == 0 {
		im.tags = append(im.tags, "latest")
	}
	im.pass(r)
	return im
}

// pass may make the image pulled, archived and restored in the past.
func (im *image) pass(r *rand.Rand) {
	within := func(days ...int) time.Duration {
		d := time.Duration(pick(r, days...)) * day
		if d >= im.age {
			return 0
		}
		return d
	}
	if r.IntN(3) == 0 {
		im.pulled = within(1, 3, 7, 8, 40, 100)
	}
	if r.IntN(9) == 0 && !im.activating {
		im.archived = within(5, 60, 95, 100, 380)
	}
	if r.IntN(4) == 0 && im.archived > 0 {
		im.restored = im.archived / 2
	}
}

// randomPolicy returns the words of a policy that ECR accepts.
func randomPolicy(r *rand.Rand) string {
	age := func() string { return fmt.Sprint(pick(r, 1, 7, 30, 90)) }
	condition := func() string {
		return pick(r, "expire % count>"+fmt.Sprint(1+r.IntN(3)), "expire % pushed>"+age(), "expire % pushed>"+age(),
			"archive % pulled>"+age(), "archive % pushed>"+age(), "archive % count>"+fmt.Sprint(1+r.IntN(3)))
	}
	var rules []string
	add := func(one, in int, images string) {
		if r.IntN(in) < one {
			rules = append(rules, strings.Replace(condition(), "%", images, 1))
		}
	}
	if r.IntN(8) == 0 {
		rules = append(rules, pick(r, "untag v* pushed>"+age(), "untag *1,*-* count>1", "retain prod*", "retain dead*"))
	}
	add(1, 3, "dead-*")
	add(1, 4, "v-*")
	add(1, 6, "prod-*,*1")
	add(1, 2, "untagged")
	if len(rules) == 0 || r.IntN(2) == 0 {
		add(1, 1, "any")
	}
	if r.IntN(3) == 0 {
		rules = append(rules, "expire archived transitioned>"+fmt.Sprint(pick(r, 90, 99)))
	}
	return strings.Join(rules, "; ")
}

// randomUse draws a reference to an image: by a tag that it has, had or never had, by its
// digest, or by both.
func randomUse(r *rand.Rand, p picture) use {
	repo := pick(r, p...)
	im := pick(r, repo.images...)
	u := use{source: pick(r, trialSources...), repository: repo.name, elsewhere: r.IntN(10) == 0, all: r.IntN(20) == 0}
	if r.IntN(3) > 0 {
		u.name = pick(r, im.name, im.name, im.name, "gone0")
	}
	if r.IntN(2) == 0 {
		u.tag = pick(r, "v-0", "latest", "stale")
		if named := slices.IndexFunc(im.tags, func(tag string) bool { return !strings.Contains(tag, ":") }); named >= 0 {
			u.tag = im.tags[named]
		}
	}
	return u
}

// configuration returns the configuration of the trial: an entry for each repository.
func (t trial) configuration() string {
	var entries []any
	for _, repo := range t.picture {
		var source any = json.RawMessage(policy(t.policies[repo.name]))
		if repo.attached != "" {
			source = "attached"
		}
		entry := map[string]any{"name": repo.name, "repositories": []string{repo.name}, "policy": source}
		if only, ok := t.relies[repo.name]; ok {
			entry["protect"] = map[string]any{"inUse": []string{only}}
		}
		entries = append(entries, entry)
	}
	text, err := json.Marshal(map[string]any{
		"policies": entries, "orphans": t.orphans, "onExpire": t.onExpire,
		"protect": map[string]any{
			"inUse": trialSources, "tagPatterns": t.tagPatterns, "keepNewest": t.keepNewest,
			"pulledWithinDays": t.pulledWithinDays, "pushedWithinHours": t.pushedWithinHours,
		},
		"limits": map[string]int{
			"maxDeletions": t.perRun, "maxDeletionsPerRepository": t.perRepository, "maxDeletedPercent": t.percent,
		},
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// answer makes the sources of the fixture answer with the uses.
func (t trial) answer(tb testing.TB, f *fixture) {
	tb.Helper()
	for _, name := range trialSources {
		f.source(name).answer(tb, t.useLines(name))
	}
}

func (t trial) useLines(source string) string {
	var lines []string
	for _, u := range t.uses {
		if u.source == source {
			lines = append(lines, u.String())
		}
	}
	return strings.Join(lines, "\n")
}

// String returns everything that you need to draw the trial again by hand.
func (t trial) String() string {
	return fmt.Sprintf("%suses of ecs:\n%s\nuses of eks:\n%s\nrefused: %v\npulls are not recorded: %v\nconfiguration: %s\npolicies: %q",
		t.picture, t.useLines("ecs"), t.useLines("eks"), t.refused, t.pullsAreNotRecorded, t.configuration(), t.policies)
}
