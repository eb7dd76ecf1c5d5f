package scenario_test

import (
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A law says what may become of the images of one repository. It is written
// down from the contract and shares no code with the engine but the evaluator:
// it looks at everything again until nothing changes, however long that takes.
type law struct {
	trial      trial
	repository string
	images     []fakeecr.Image
	place      map[string]int // by digest
	// wants and vetoed are per image: 0 to stay, 1 to be archived, 2 to be
	// deleted.
	wants    []int
	vetoed   []bool
	retained []bool
	// vanished are the digests of images that somebody else removed.
	vanished map[string]bool
	// untag are the tags that each image is to lose, vetoed ones left out.
	untag [][]string
}

const (
	stay = iota
	archive
	remove
)

// newLaw reads a repository as it is before a run.
func newLaw(t trial, repository string, images []fakeecr.Image) *law {
	l := &law{trial: t, repository: repository, images: slices.Clone(images), place: map[string]int{}, vanished: map[string]bool{}}
	for i, im := range images {
		l.place[im.Digest] = i
	}
	l.wish()
	l.veto()
	l.vetoTags()
	return l
}

func (l *law) isIndex(i int) bool {
	return strings.Contains(l.images[i].ManifestMediaType, "index") || strings.Contains(l.images[i].ManifestMediaType, "list")
}

// readable reports whether the image is an index whose manifest can be read.
func (l *law) readable(i int) bool {
	return l.isIndex(i) && l.images[i].Status == "ACTIVE" && strings.HasPrefix(l.images[i].Manifest, "{")
}

// listed returns the places of those digests that are in the repository.
func (l *law) listed(digests []string) []int {
	var places []int
	for _, digest := range digests {
		if i, ok := l.place[digest]; ok {
			places = append(places, i)
		}
	}
	return places
}

// subjects returns the digests that the image refers to.
func (l *law) subjects(i int) []string {
	var digests []string
	if l.images[i].SubjectDigest != "" {
		digests = append(digests, l.images[i].SubjectDigest)
	}
	for _, tag := range l.images[i].Tags {
		if isSubjectTag(tag) {
			digests = append(digests, "sha256:"+tag[len("sha256-"):len("sha256-")+64])
		}
	}
	return digests
}

// isSubjectTag reports whether the tag is one that trials make of a subject.
func isSubjectTag(tag string) bool { return strings.HasPrefix(tag, "sha256-") }

// parents returns the subjects of the image and the indexes that list it. An index
// belongs to no image that it lists, whatever its subject.
func (l *law) parents(i int, all bool) []int {
	subjects := slices.DeleteFunc(l.listed(l.subjects(i)), func(p int) bool { return slices.Contains(l.indexes(p, false), i) })
	return append(subjects, l.indexes(i, all)...)
}

// indexes returns the indexes that list the image: those that can be read, or
// all of them.
func (l *law) indexes(i int, all bool) []int {
	var indexes []int
	for p := range l.images {
		if (all || l.readable(p)) && p != i && slices.Contains(l.images[p].Children, l.images[i].Digest) {
			indexes = append(indexes, p)
		}
	}
	return indexes
}

// leaves returns what is below a readable index, without other such indexes.
func (l *law) leaves(i int, found []int) []int {
	if !l.readable(i) {
		return found
	}
	for _, child := range l.listed(l.images[i].Children) {
		if l.readable(child) {
			found = l.leaves(child, found)
		} else {
			found = append(found, child)
		}
	}
	return found
}

func (l *law) wish() {
	policy, problems := lifecycle.Parse([]byte(policy(l.trial.policies[l.repository])), lifecycle.Extended)
	if err := problems.Err(); err != nil {
		panic(err)
	}
	images := make([]evaluator.Image, len(l.images))
	for i, im := range l.images {
		images[i] = evaluator.Image{
			Digest: im.Digest, Tags: im.Tags, Status: evaluator.ImageStatus(im.Status), PushedAt: evaluator.At(im.PushedAt),
			LastRecordedPullTime: evaluator.At(im.LastRecordedPullTime), LastArchivedAt: evaluator.At(im.LastArchivedAt), LastActivatedAt: evaluator.At(im.LastActivatedAt),
		}
	}
	l.wants, l.untag = make([]int, len(l.images)), make([][]string, len(l.images))
	for i, v := range evaluator.Evaluate(policy, images, noon) {
		l.wants[i] = map[evaluator.Action]int{evaluator.Expire: remove, evaluator.Transition: archive}[v.Action]
		if v.Action == evaluator.Expire && l.trial.onExpire == "archive" && l.images[i].Status == "ACTIVE" {
			l.wants[i] = archive
		}
		if v.Action == evaluator.Untag {
			l.untag[i] = v.Rule.Selection.MatchingTags(images[i].Tags)
		}
		l.retained = append(l.retained, v.Reason.Kind == evaluator.Retained)
	}
}

// veto finds what protects each image by itself.
func (l *law) veto() {
	l.vetoed = make([]bool, len(l.images))
	for i, im := range l.images {
		pulled, hours := im.LastRecordedPullTime, time.Duration(l.trial.pushedWithinHours)*time.Hour
		l.vetoed[i] = slices.ContainsFunc(im.Tags, l.tagProtects) ||
			l.trial.pulledWithinDays > 0 && !pulled.IsZero() && noon.Sub(pulled) <= time.Duration(l.trial.pulledWithinDays)*day ||
			hours > 0 && noon.Sub(l.pushed(i)) <= hours
	}
	for _, i := range l.newest() {
		l.vetoed[i] = true
	}
	for i := range l.used(false) {
		l.vetoed[i] = true
	}
}

// vetoTags leaves the tags to images that are protected, to the children of
// indexes in use, and to referrers that the tag ties to their subject.
func (l *law) vetoTags() {
	used := l.used(false)
	doubt := false // because of an index that should be readable
	for i, im := range l.images {
		doubt = doubt || len(used) > 0 && l.isIndex(i) && !l.readable(i) && im.Status != "ARCHIVED"
	}
	for grew := true; grew; {
		grew = false
		for i := range l.images {
			if !used[i] && slices.ContainsFunc(l.indexes(i, false), func(p int) bool { return used[p] }) {
				used[i], grew = true, true
			}
		}
	}
	for i := range l.images {
		if doubt || l.vetoed[i] || used[i] || slices.ContainsFunc(l.untag[i], isSubjectTag) {
			l.untag[i] = nil
		}
	}
}

func (l *law) tagProtects(tag string) bool {
	return slices.ContainsFunc(l.trial.tagPatterns, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return tag == pattern || open && strings.HasPrefix(tag, prefix)
	})
}

// pushed is when the image was pushed or, if it was archived, restored.
func (l *law) pushed(i int) time.Time {
	if t := l.images[i].LastActivatedAt; !t.IsZero() {
		return t
	}
	return l.images[i].PushedAt
}

// means reports whether the use is one of the image. Its digest decides if it has one
// and that is listed, otherwise its tag.
func (l *law) means(u use, im *fakeecr.Image) bool {
	tag := u.tag
	if u.name != "" {
		if _, listed := l.place[digestOf(u.name)]; listed {
			return digestOf(u.name) == im.Digest
		}
	} else if tag == "" {
		tag = "latest"
	}
	return slices.Contains(im.Tags, tag)
}

// used returns the images in use, those pulled since the run asked what is in
// use, and the indexes above them. An index that
// cannot be read tells nobody what it lists, unless all is asked for.
func (l *law) used(all bool) map[int]bool {
	used := map[int]bool{}
	for i, im := range l.images {
		if !im.LastRecordedPullTime.Before(noon) {
			used[i] = true
		}
		for _, u := range l.trial.uses {
			if !u.elsewhere && u.repository == l.repository && l.means(u, &im) {
				used[i] = true
			}
		}
	}
	for grew := true; grew; {
		grew = false
		for p, index := range l.images {
			if !used[p] && (l.readable(p) || all && l.isIndex(p) && index.Status != "ARCHIVED") &&
				slices.ContainsFunc(l.listed(index.Children), func(c int) bool { return used[c] && c != p }) {
				used[p], grew = true, true
			}
		}
	}
	return used
}
