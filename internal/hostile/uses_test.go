package hostile_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// list is the name of the list of references. The other sources are services.
const list = "list"

var sourceNames = []string{"ecs", "eks", "lambda", list, config.KubeconfigSource}

// A reliance says which sources protect the images of a repository.
type reliance struct {
	sources    []string
	familyDays int
	// Elsewhere, and the places whose list is expected.
	regions  []string
	accounts []member
	expect   []string
}

// drawReliance draws the reliance of the whole configuration, and of repositories with
// an entry of their own.
func (s *settings) drawReliance(random *rand.Rand) {
	draw := func(relies bool) reliance {
		r := reliance{familyDays: pick(random, 0, 7, 7)}
		for _, name := range sourceNames[:4] {
			if relies && random.IntN(2) == 0 {
				r.sources = append(r.sources, name)
			}
		}
		if s.kubeconfig { // every entry relies on it
			r.sources = append(r.sources, config.KubeconfigSource)
		} else if relies && r.sources == nil {
			r.sources = []string{pick(random, sourceNames[:4]...)}
		}
		if s.elsewhere && relies {
			r.drawPlaces(random)
		}
		return r
	}
	s.kubeconfig = random.IntN(6) == 0
	s.general, s.own = draw(random.IntN(4) > 0), map[string]reliance{}
	for _, repo := range s.repositories {
		if random.IntN(3) == 0 {
			s.own[repo] = draw(random.IntN(8) > 0)
		}
	}
}

func (s *settings) relianceOf(repo string) reliance {
	if own, has := s.own[repo]; has {
		return own
	}
	return s.general
}

// protect returns the members of protect in the configuration.
func (r reliance) protect() map[string]any {
	services, lists := []string{}, []string{}
	for _, name := range r.sources {
		switch {
		case name == list, name == prefix:
			lists = append(lists, name)
		case slices.Contains(sourceNames[:3], name): // kubeconfig is a member of the general protect only
			services = append(services, name)
		}
	}
	protect := map[string]any{"inUse": services, "references": lists, "ecs": map[string]any{"familyDays": r.familyDays}}
	maps.Copy(protect, r.places())
	return protect
}

// A use says that something uses an image from a time on, until it has ended.
type use struct {
	source, repo, tag, digest string
	since                     time.Time
	ended                     bool
	// Kind is "", or how the use differs from one of an image of the repository.
	kind useKind
	// active is the last activity of the family; zero if it is unknown.
	active time.Time
	// account is that of a use in a list of several accounts.
	account string
}

type useKind string

// The kinds of uses. An aFinding is a finding and no use.
const (
	ofAllImages useKind = "all images"
	ofAnywhere  useKind = "a digest without a repository"
	byFamily    useKind = "family"
	byPath      useKind = "path on another host"
	aFinding    useKind = "finding"
)

func (f *fixture) drawUses(random *rand.Rand, repo string, images []imageOf) {
	for range pick(random, 0, 1, 1, 2, 3) {
		f.use(random, repo, pick(random, images...), f.clocks.service().Add(-day))
	}
}

// use adds a use from that time on, usually of the image. The use names it by its digest,
// by a tag, or by a tag with a digest that the repository does not have.
func (f *fixture) use(random *rand.Rand, repo string, im imageOf, since time.Time) {
	u := use{source: f.aSource(random), repo: repo, since: since, digest: im.Digest}
	if len(im.Tags) > 0 {
		u.tag = pick(random, im.Tags...)
		switch random.IntN(4) {
		case 0, 1:
			u.digest = ""
		case 2:
			u.digest = "sha256:" + strings.Repeat("0", 64)
		}
	}
	if len(f.uses) > 0 && random.IntN(4) == 0 { // of the image that another use names
		other := pick(random, f.uses...)
		u.source, u.repo, u.tag, u.digest = other.source, other.repo, other.tag, other.digest
	}
	switch n := random.IntN(24); {
	case n == 0:
		u.kind = ofAllImages
	case n == 1:
		u.kind, u.repo, u.tag, u.digest = ofAnywhere, repo, "", im.Digest
	case n < 4:
		u.kind = aFinding
	case n < 8:
		u.kind = byFamily
		// No time is near a limit, even if the machine's clock jumps.
		if age := pick(random, 0, 2*time.Hour, 20*day, 20*day); age > 0 {
			u.active = f.clocks.service().Add(-age)
		}
	case n < 10:
		u.kind = byPath
	}
	switch u.source {
	case list:
		u.account = pick(random, "", accountB, accountC)
	case prefix:
		u.account = pick(random, accountB, accountC)
	}
	f.tally.note("use: " + cmp.Or(string(u.kind), "an image"))
	f.uses = append(f.uses, u)
}

// aSource returns a source, most often one that the configuration names.
func (f *fixture) aSource(random *rand.Rand) string {
	named := slices.Clone(f.general.sources)
	for _, repo := range slices.Sorted(maps.Keys(f.own)) {
		named = append(named, f.own[repo].sources...)
	}
	if len(named) == 0 || random.IntN(8) == 0 {
		named = sourceNames
	}
	return pick(random, named...)
}

// idle reports whether the use is by a family without activity for more than that many days.
func (u *use) idle(days int, at time.Time) bool {
	return u.kind == byFamily && days > 0 && !u.active.IsZero() && at.Sub(u.active) > time.Duration(days)*day
}

// answer returns the use as the source answers it.
func (u *use) answer() inuse.Use {
	out := inuse.Use{By: u.source + ": " + string(u.kind), Account: u.account, Reference: reference.Reference{
		RegistryID: account, Region: region, Repository: u.repo, Tag: u.tag, Digest: u.digest,
	}}
	switch u.kind {
	case ofAllImages:
		out.AllImages = true
	case ofAnywhere:
		out.Reference = reference.Reference{Digest: u.digest}
	case byPath:
		out.Reference.RegistryID, out.Reference.Region = "", ""
		out.Reference.Host, out.Reference.Repository = "mirror.example.com", "team/"+u.repo
	case byFamily:
		out.Family, out.LastActivity = "family", u.active
		if u.idle(7, time.Now()) {
			out.By = u.source + idleUser
		}
	case aFinding:
		out.Finding = finding.Finding{Kind: finding.ManagedRuntime, Message: u.source + " has a finding about " + u.repo}
	}
	return out
}

const idleUser = ": idle family"

// those returns the uses for which is is true.
func (f *fixture) those(is func(use) bool) []use {
	return slices.DeleteFunc(slices.Clone(f.uses), func(u use) bool { return !is(u) })
}

func (u *use) String() string {
	return fmt.Sprintf("%s: %s%s:%s@%s since %s ended %v active %s", u.source, u.kind, u.repo, u.tag, u.digest, ago(u.since), u.ended, ago(u.active))
}
