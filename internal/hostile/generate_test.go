package hostile_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const (
	day        = 24 * time.Hour
	indexType  = "application/vnd.oci.image.index.v1+json"
	imageType  = "application/vnd.oci.image.manifest.v1+json"
	devPattern = "dev-*"
)

// A rule is the only rule of a policy.
type rule struct {
	action    string // expire, transition or untag
	tagStatus string // any, untagged or, for those with a tag like dev-*, tagged
	countType string
	number    int
}

// Settings are the configuration of a trial, and the rates of events and faults in it.
type settings struct {
	rule                     rule
	general                  reliance
	own                      map[string]reliance // of repositories with an entry of their own
	kubeconfig               bool
	tagPatterns              []string // exact tags
	keepNewest               int
	pulledDays, pushedHours  int
	deleteOrphans, archive   bool
	perRun, perRepo, percent int
	repositories             []string
	mode                     string // apply, saved, named or filtered
	excluded                 bool   // the role is a pull-time exclusion
	shortPages               bool
	eventRate, faultRate     float64 // per call
	quietStart               bool    // nothing happens before the first re-check
	workers                  int
	planAge                  time.Duration // between a plan and its application
	skew                     time.Duration // of the machine's clock, from the beginning
	sourceFaults, logStalls  bool
	exclusionFaults          bool
	filter                   filter
	overridden               []string           // the kinds of protection, of a filtered run
	shown                    bool               // the plan of a filtered run, before it is applied
	tagOnly                  bool               // a named run removes only tags
	rounds                   bool               // several runs that continue
	elsewhere                bool               // sources in other Regions and accounts
	failing                  map[string]failing // those of them that fail
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// draw draws the settings of a trial. One in five is calm.
func draw(random *rand.Rand) settings {
	s := settings{
		rule: pick(random,
			rule{"expire", "any", "sinceImagePushed", 3}, rule{"expire", "any", "sinceImagePushed", 3}, rule{"expire", "untagged", "sinceImagePushed", 3},
			rule{"expire", "any", "imageCountMoreThan", 2}, rule{"expire", "tagged", "sinceImagePushed", 3}, rule{"expire", "any", "sinceImagePulled", 3},
			rule{"transition", "any", "sinceImagePulled", 3}, rule{"untag", "tagged", "sinceImagePushed", 3}),
		keepNewest: pick(random, 0, 0, 0, 1, 2), pulledDays: pick(random, 0, 0, 7), pushedHours: pick(random, 0, 0, 24, 200),
		deleteOrphans: random.IntN(2) == 0, archive: random.IntN(5) == 0,
		perRun: pick(random, 1000, 1000, 1000, 3), perRepo: pick(random, 1000, 1000, 1000, 3), percent: pick(random, 100, 100, 100, 60),
		repositories: pick(random, []string{"app"}, []string{"app"}, []string{"app"}, []string{"app", "web"}),
		mode:         pick(random, "apply", "apply", "apply", "saved", "named", "filtered", "filtered"),
		excluded:     random.IntN(2) == 0, shortPages: random.IntN(2) == 0,
		workers: pick(random, 1, 1, 2), planAge: pick(random, 0, time.Minute, 5*time.Hour, 23*time.Hour, 25*time.Hour),
	}
	s.elsewhere = random.IntN(3) == 0
	s.drawReliance(random)
	if s.elsewhere && random.IntN(4) > 0 {
		s.drawFailing(random)
	}
	s.drawFilter(random)
	if random.IntN(4) == 0 {
		s.tagPatterns = []string{"latest"}
	}
	if random.IntN(5) == 0 {
		return s
	}
	s.eventRate, s.faultRate = pick(random, 0, 0.1, 0.4), pick(random, 0, 0.1, 0.3)
	s.quietStart = random.IntN(2) == 0
	s.skew = pick(random, 0, 0, 100*time.Second, -100*time.Second)
	s.sourceFaults, s.logStalls, s.exclusionFaults = random.IntN(4) == 0, random.IntN(3) == 0, random.IntN(3) == 0
	return s
}

// configuration returns the text of the configuration.
func (s *settings) configuration() string {
	selection := map[string]any{"tagStatus": s.rule.tagStatus, "countType": s.rule.countType, "countNumber": s.rule.number}
	if s.rule.countType != "imageCountMoreThan" {
		selection["countUnit"] = "days"
	}
	if s.rule.tagStatus == "tagged" {
		selection["tagPatternList"] = []string{devPattern}
	}
	action := map[string]any{"type": s.rule.action}
	if s.rule.action == "transition" {
		action["targetStorageClass"] = "archive"
	}
	policy := map[string]any{"rules": []any{map[string]any{"rulePriority": 1, "selection": selection, "action": action}}}
	var entries []any
	for _, repo := range slices.Sorted(maps.Keys(s.own)) {
		entries = append(entries, map[string]any{"name": repo, "repositories": []string{repo}, "policy": policy, "protect": s.own[repo].protect()})
	}
	protect := s.general.protect()
	maps.Copy(protect, map[string]any{
		"tagPatterns": append([]string{}, s.tagPatterns...), "keepNewest": s.keepNewest,
		"pulledWithinDays": s.pulledDays, "pushedWithinHours": s.pushedHours,
	})
	if s.kubeconfig {
		protect["kubeconfig"] = "file"
	}
	c := map[string]any{
		"policies": append(entries, map[string]any{"name": "p", "policy": policy}), "protect": protect,
		"orphans": map[bool]string{true: "delete", false: "keep"}[s.deleteOrphans], "onExpire": map[bool]string{true: "archive", false: "delete"}[s.archive],
		"limits": map[string]int{"maxDeletions": s.perRun, "maxDeletionsPerRepository": s.perRepo, "maxDeletedPercent": s.percent},
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// image returns a new image with a unique manifest. Its name begins with that text.
func (f *fixture) image(name string, children []string, subject string) fakeecr.Image {
	mediaType, members := imageType, ""
	if children != nil {
		mediaType = indexType
		listed := make([]string, len(children))
		for i, digest := range children {
			listed[i] = fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":1}`, imageType, digest)
		}
		members = `,"manifests":[` + strings.Join(listed, ",") + "]"
	}
	if subject != "" {
		members += fmt.Sprintf(`,"subject":{"mediaType":%q,"digest":%q,"size":1}`, imageType, subject)
	}
	name = fmt.Sprintf("%s%d", name, len(f.names))
	text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q%s,"annotations":{"name":%q}}`, mediaType, members, name)
	sum := sha256.Sum256([]byte(text))
	im := fakeecr.Image{
		Digest: "sha256:" + hex.EncodeToString(sum[:]), Manifest: text, ManifestMediaType: mediaType, Children: children, SubjectDigest: subject, SizeInBytes: 1,
	}
	f.names[im.Digest] = name
	return im
}

// fill puts three to nine images into the repository.
func (f *fixture) fill(random *rand.Rand, repo string) {
	f.server.CreateRepository(repo)
	var all []fakeecr.Image
	wanted := 3 + random.IntN(6)
	for len(all) < wanted {
		var im fakeecr.Image
		switch kind := random.IntN(10); {
		case kind < 2:
			var children []string
			for range 1 + random.IntN(2) {
				if i := random.IntN(len(all) + 2); i < len(all) && all[i].SubjectDigest == "" {
					children = append(children, all[i].Digest)
					continue
				}
				child := f.image("child", nil, "")
				f.age(random, &child)
				all = append(all, child)
				children = append(children, child.Digest)
			}
			im = f.image("index", children, "")
			im.Tags = f.tags(random, len(all))
		case kind < 4 && len(all) > 0:
			subject := pick(random, all...).Digest
			if random.IntN(5) == 0 {
				subject = f.image("nowhere", nil, "").Digest
			}
			if random.IntN(2) == 0 {
				im = f.image("signature", nil, subject)
			} else {
				im = f.image("signature", nil, "")
				im.Tags = []string{"sha256-" + strings.TrimPrefix(subject, "sha256:") + ".sig"}
			}
		default:
			im = f.image("image", nil, "")
			im.Tags = f.tags(random, len(all))
		}
		f.age(random, &im)
		all = append(all, im)
	}
	taken := map[string]bool{} // the first image keeps its tag
	for _, im := range all {
		im.Tags = slices.DeleteFunc(im.Tags, func(tag string) bool { return taken[tag] })
		for _, tag := range im.Tags {
			taken[tag] = true
		}
		f.server.Put(repo, im)
		f.notef("%s: %s %v %s, pushed %s, restored %s, pulled %s, children %v, subject %v", repo, f.names[im.Digest], im.Tags, im.Status,
			ago(im.PushedAt), ago(im.LastActivatedAt), ago(im.LastRecordedPullTime), f.namesOf(im.Children), f.namesOf(subjects(&im)))
	}
	f.drawUses(random, repo, all)
}

func (f *fixture) tags(random *rand.Rand, n int) []string {
	switch random.IntN(7) {
	case 0, 1:
		return nil
	case 2:
		return []string{"latest"}
	case 3:
		return []string{fmt.Sprint("v-", n)}
	case 4:
		return []string{fmt.Sprint("dev-", n)}
	}
	return []string{fmt.Sprint("dev-", n), fmt.Sprint("v-", n)}
}

// age draws the times and the status of an image. No time is near a limit.
func (f *fixture) age(random *rand.Rand, im *fakeecr.Image) {
	now := f.clocks.service()
	before := func(d time.Duration) time.Time {
		return now.Add(-d - time.Duration(1+random.IntN(1000_000))*time.Millisecond)
	}
	ages := []time.Duration{10 * time.Hour, 40 * time.Hour, 100 * time.Hour, 20 * day, 90 * day, 95 * day, 99 * day}
	pushed := random.IntN(len(ages))
	im.PushedAt = before(ages[pushed])
	if random.IntN(2) == 0 && pushed > 0 {
		im.LastRecordedPullTime = before(ages[random.IntN(pushed)])
	}
	switch n := random.IntN(30); {
	case n < 2:
		im.Status, im.LastArchivedAt = "ARCHIVED", before(2*time.Hour)
	case n == 2 && pushed > 1:
		im.LastActivatedAt = before(ages[random.IntN(pushed)])
	case n == 3:
		im.Status = pick(random, "ACTIVATING", "QUARANTINED")
	}
}

func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return time.Since(t).Round(time.Hour).String()
}
