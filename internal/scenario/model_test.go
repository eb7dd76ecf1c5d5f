package scenario_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A model computes what a run may do with the images of one repository. It implements
// the contract and shares no code with the engine except the evaluator. It repeats its
// rules until nothing changes, however long that takes.
type model struct {
	trial      trial
	repository string
	images     []fakeecr.Image
	place      map[string]int // by digest
	// wants has the action of the policy for each image: stay, archive or remove.
	// vetoed says for each image whether it is protected.
	wants    []int
	vetoed   []bool
	retained []bool
	// vanished are the digests of images that somebody else removed.
	vanished map[string]bool
	// untag has the tags that each image must lose, without protected tags.
	untag [][]string
}

const (
	stay = iota
	archive
	remove
)

// newModel returns the model of a repository before a run.
func newModel(t trial, repository string, images []fakeecr.Image) *model {
	m := &model{trial: t, repository: repository, images: slices.Clone(images), place: map[string]int{}, vanished: map[string]bool{}}
	for i, im := range images {
		m.place[im.Digest] = i
	}
	m.evaluate()
	m.veto()
	m.vetoTags()
	return m
}

func (m *model) isIndex(i int) bool {
	return strings.Contains(m.images[i].ManifestMediaType, "index") || strings.Contains(m.images[i].ManifestMediaType, "list")
}

// readable reports whether the image is an index whose manifest can be read.
func (m *model) readable(i int) bool {
	return m.isIndex(i) && m.images[i].Status == "ACTIVE" && strings.HasPrefix(m.images[i].Manifest, "{")
}

// listed returns the indexes in images of those digests that the repository has.
func (m *model) listed(digests []string) []int {
	var places []int
	for _, digest := range digests {
		if i, ok := m.place[digest]; ok {
			places = append(places, i)
		}
	}
	return places
}

// subjects returns the digests that the image refers to.
func (m *model) subjects(i int) []string {
	var digests []string
	if m.images[i].SubjectDigest != "" {
		digests = append(digests, m.images[i].SubjectDigest)
	}
	for _, tag := range m.images[i].Tags {
		if isSubjectTag(tag) {
			digests = append(digests, "sha256:"+tag[len("sha256-"):len("sha256-")+64])
		}
	}
	return digests
}

// isSubjectTag reports whether the tag names a subject.
func isSubjectTag(tag string) bool { return strings.HasPrefix(tag, "sha256-") }

// parents returns the subjects of the image and the indexes that list it. An index is
// never a child of an image that it lists, even if that image is its subject.
func (m *model) parents(i int, all bool) []int {
	subjects := slices.DeleteFunc(m.listed(m.subjects(i)), func(p int) bool { return slices.Contains(m.indexes(p, false), i) })
	return append(subjects, m.indexes(i, all)...)
}

// indexes returns the indexes that list the image: the readable ones, or all.
func (m *model) indexes(i int, all bool) []int {
	var indexes []int
	for p := range m.images {
		if (all || m.readable(p)) && p != i && slices.Contains(m.images[p].Children, m.images[i].Digest) {
			indexes = append(indexes, p)
		}
	}
	return indexes
}

// leaves returns the images below a readable index that are not readable indexes.
func (m *model) leaves(i int, found []int) []int {
	if !m.readable(i) {
		return found
	}
	for _, child := range m.listed(m.images[i].Children) {
		if m.readable(child) {
			found = m.leaves(child, found)
		} else {
			found = append(found, child)
		}
	}
	return found
}

func (m *model) evaluate() {
	policy, problems := lifecycle.Parse([]byte(policy(m.trial.policies[m.repository])), lifecycle.Extended)
	if err := problems.Err(); err != nil {
		panic(err)
	}
	images := make([]evaluator.Image, len(m.images))
	for i, im := range m.images {
		images[i] = evaluator.Image{
			Digest: im.Digest, Tags: im.Tags, Status: evaluator.ImageStatus(im.Status), PushedAt: evaluator.At(im.PushedAt),
			LastRecordedPullTime: evaluator.At(im.LastRecordedPullTime), LastArchivedAt: evaluator.At(im.LastArchivedAt), LastActivatedAt: evaluator.At(im.LastActivatedAt),
		}
	}
	m.wants, m.untag = make([]int, len(m.images)), make([][]string, len(m.images))
	for i, v := range evaluator.Evaluate(policy, images, noon) {
		m.wants[i] = map[evaluator.Action]int{evaluator.Expire: remove, evaluator.Transition: archive}[v.Action]
		if v.Action == evaluator.Expire && m.trial.onExpire == "archive" && m.images[i].Status == "ACTIVE" {
			m.wants[i] = archive
		}
		if v.Action == evaluator.Untag {
			m.untag[i] = v.Rule.Selection.MatchingTags(images[i].Tags)
		}
		m.retained = append(m.retained, v.Reason.Kind == evaluator.Retained)
	}
}

// veto finds the images that the settings or a use protect.
func (m *model) veto() {
	m.vetoed = make([]bool, len(m.images))
	for i, im := range m.images {
		pulled, hours := im.LastRecordedPullTime, time.Duration(m.trial.pushedWithinHours)*time.Hour
		m.vetoed[i] = slices.ContainsFunc(im.Tags, m.tagProtects) ||
			m.trial.pulledWithinDays > 0 && !pulled.IsZero() && noon.Sub(pulled) <= time.Duration(m.trial.pulledWithinDays)*day ||
			hours > 0 && noon.Sub(m.pushed(i)) <= hours
	}
	for _, i := range m.newest() {
		m.vetoed[i] = true
	}
	for i := range m.used(false) {
		m.vetoed[i] = true
	}
}

// vetoTags keeps the tags of protected images, of children of indexes in use, and of
// referrers whose tag names their subject.
func (m *model) vetoTags() {
	used := m.used(false)
	doubt := false // because of an index that should be readable
	for i, im := range m.images {
		doubt = doubt || len(used) > 0 && m.isIndex(i) && !m.readable(i) && im.Status != "ARCHIVED"
	}
	for grew := true; grew; {
		grew = false
		for i := range m.images {
			if !used[i] && slices.ContainsFunc(m.indexes(i, false), func(p int) bool { return used[p] }) {
				used[i], grew = true, true
			}
		}
	}
	for i := range m.images {
		if doubt || m.vetoed[i] || used[i] || slices.ContainsFunc(m.untag[i], isSubjectTag) {
			m.untag[i] = nil
		}
	}
}

func (m *model) tagProtects(tag string) bool {
	return slices.ContainsFunc(m.trial.tagPatterns, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return tag == pattern || open && strings.HasPrefix(tag, prefix)
	})
}

// pushed returns the time of the push or, for an archived image, of the restore.
func (m *model) pushed(i int) time.Time {
	if t := m.images[i].LastActivatedAt; !t.IsZero() {
		return t
	}
	return m.images[i].PushedAt
}

// means reports whether the image is the one of the use: the image with the digest, if
// the use has a listed digest, else the image with the tag.
func (m *model) means(u use, im *fakeecr.Image) bool {
	tag := u.tag
	if u.name != "" {
		if _, listed := m.place[digestOf(u.name)]; listed {
			return digestOf(u.name) == im.Digest
		}
	} else if tag == "" {
		tag = "latest"
	}
	return slices.Contains(im.Tags, tag)
}

// used returns the images in use, the images pulled since the in-use scan, and the
// indexes above them. The children of an unreadable index count only if all is true.
func (m *model) used(all bool) map[int]bool {
	used := map[int]bool{}
	for i, im := range m.images {
		if !im.LastRecordedPullTime.Before(noon) {
			used[i] = true
		}
		for _, u := range m.trial.uses {
			only, ok := m.trial.relies[m.repository]
			if !u.elsewhere && u.repository == m.repository && (!ok || u.source == only) && (u.all || m.means(u, &im)) {
				used[i] = true
			}
		}
	}
	for grew := true; grew; {
		grew = false
		for p, index := range m.images {
			if !used[p] && (m.readable(p) || all && m.isIndex(p) && index.Status != "ARCHIVED") &&
				slices.ContainsFunc(m.listed(index.Children), func(c int) bool { return used[c] && c != p }) {
				used[p], grew = true, true
			}
		}
	}
	return used
}

// newest returns the newest images that are neither children nor referrers, and as many
// of those that can be pulled. If an index cannot be read, an untagged image may be its
// child. It is kept if it is new enough, but does not count. Images that have, or may
// have, such a new child are kept as well.
func (m *model) newest() []int {
	var kept []int
	all, active := 0, 0
	for _, i := range m.byAge() {
		pullable := m.images[i].Status == "ACTIVE"
		if all >= m.trial.keepNewest && (!pullable || active >= m.trial.keepNewest) {
			continue
		}
		indexes, perhaps := m.indexes(i, false), m.perhaps(i)
		kept = append(kept, indexes...)
		if len(m.subjects(i)) > 0 || len(indexes) > 0 {
			continue
		}
		kept = append(kept, i)
		for _, p := range perhaps {
			if m.images[p].Status == "ARCHIVED" {
				kept = append(kept, p)
			}
		}
		if len(perhaps) > 0 {
			continue
		}
		all++
		if pullable {
			active++
		}
	}
	return kept
}

// perhaps returns the unreadable indexes that may list the image. An archived index lists
// no image that was pushed after it was archived.
func (m *model) perhaps(i int) []int {
	var indexes []int
	if len(m.images[i].Tags) > 0 || m.isIndex(i) {
		return nil
	}
	for p := range m.images {
		if m.isIndex(p) && !m.readable(p) && m.mayList(p, i) {
			indexes = append(indexes, p)
		}
	}
	return indexes
}

// byAge returns the indexes of all images, the newest image first.
func (m *model) byAge() []int {
	places := make([]int, len(m.images))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int {
		return cmp.Or(m.pushed(b).Compare(m.pushed(a)), strings.Compare(m.images[b].Digest, m.images[a].Digest))
	})
	return places
}
