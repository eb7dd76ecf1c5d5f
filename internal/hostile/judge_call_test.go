package hostile_test

import (
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	maxLookAge = 2 * time.Second
	// A cleaner learns the service's time from the Date of answers, in whole seconds.
	dateGrain = time.Second
)

// A judgement is about one image of one removing call: whether the cleaner may send the
// call, given everything that it could know.
type judgement struct {
	*fixture
	view   *view
	call   *call
	digest string
	name   string
	tags   []string           // those to be removed, nil for the image
	now    time.Time          // at the service
	truth  map[string]imageOf // of the repository
	was    imageOf            // as listed
	is     imageOf            // as the last re-check found it
	relies reliance
	scan   *scan // the last one that has ended; nil without a source
}

// judgeRemoval judges a call that removes images or tags, when it is sent.
func (f *fixture) judgeRemoval(c *call) {
	v := f.views[c.repo]
	f.tally.note("removing calls")
	j := judgement{fixture: f, view: v, call: c, relies: f.relianceOf(c.repo), now: f.clocks.known(c.sent, len(f.repositories) > 1), truth: f.images(c.repo)}
	if f.run == "plan" {
		f.faultf("a plan removes")
	}
	if f.run == "apply" && f.saved != nil && f.started.Sub(f.savedAt) > day+2*time.Minute {
		f.faultf("a plan older than a day is applied")
	}
	if v == nil || v.listing == nil {
		f.faultf("#%d removes from %s, which was not listed whole", c.seq, c.repo)
		return
	}
	j.judgeScan()
	byImage := map[string][]string{}
	for _, digest := range c.digests {
		byImage[digest] = nil
	}
	for _, tag := range c.tags {
		byImage[v.tagged(tag)] = append(byImage[v.tagged(tag)], tag)
	}
	for _, digest := range slices.Sorted(maps.Keys(byImage)) {
		j.digest, j.name, j.tags = digest, f.names[digest], byImage[digest]
		j.judge()
		f.requested[c.repo][digest] = true
		f.attempts[digest] = append(f.attempts[digest], &attempt{seq: c.seq, tags: j.tags})
	}
}

// tagged returns the image that had the tag in the last re-check that found one.
func (v *view) tagged(tag string) string {
	digest, seq := "", 0
	for d, l := range v.rechecks {
		if slices.Contains(l.image.Tags, tag) && l.seq > seq {
			digest, seq = d, l.seq
		}
	}
	return digest
}

func (j *judgement) judge() {
	l, rechecked := j.view.rechecks[j.digest]
	was, listed := j.view.listing[j.digest]
	j.was, j.is = was, l.image
	switch {
	case !listed:
		j.wrong("is not listed")
		return
	case !rechecked:
		j.wrong("it was not re-checked")
		return
	case l.image.Digest == "":
		j.wrong("the last re-check did not find it")
		return
	}
	j.judgeRecheck(l)
	j.judgeChange(&j.was)
	if j.saved != nil {
		if planned, ok := j.saved[j.call.repo][j.digest]; !ok {
			j.wrong("is not in the saved plan's listing")
		} else {
			j.judgeChange(&planned)
		}
	}
	j.judgeChildren()
	j.judgeUses()
	j.judgeSettings()
	j.judgeRelated()
	j.judgeWanted()
}

func (j *judgement) wrong(why string) {
	j.faultf("#%d %s of %s %v: %s", j.call.seq, j.call.operation, j.name, j.tags, why)
}

// judgeRecheck: the re-check is at most two seconds old. It is later than the last call to
// remove the image, unless ECR throttled that call, and later than the last call to
// remove an index or a subject of the image. Before tags are removed, not even a line
// of the log is written between the re-check and the call.
func (j *judgement) judgeRecheck(l recheck) {
	if age := j.now.Sub(l.asked); age > maxLookAge {
		j.wrong("the re-check is " + age.String() + " old")
	}
	for _, a := range j.attempts[j.digest] {
		if a.seq > l.seq && !a.throttled {
			j.wrong("the re-check is from before the last call to remove it")
		}
	}
	for _, parent := range append(j.view.parents(j.digest), j.listedSubjects()...) {
		for _, a := range j.attempts[parent] {
			if a.seq > l.seq && j.tags == nil {
				j.wrong("the re-check is from before the last call to remove " + j.names[parent] + ", to which it belongs")
			}
		}
	}
	if j.tags != nil && len(j.repositories) == 1 && j.lastLog >= l.seq {
		j.wrong("the log was written between the re-check and the call")
	}
}

// judgeChange: an image that changed before the re-check is kept. It may have lost the tags
// that the run removed.
func (j *judgement) judgeChange(was *imageOf) {
	lost := slices.DeleteFunc(slices.Clone(was.Tags), func(tag string) bool { return slices.Contains(j.is.Tags, tag) })
	for _, a := range j.attempts[j.digest] {
		lost = slices.DeleteFunc(lost, func(tag string) bool { return slices.Contains(a.tags, tag) })
	}
	gained := slices.ContainsFunc(j.is.Tags, func(tag string) bool { return !slices.Contains(was.Tags, tag) })
	switch {
	case gained || len(lost) > 0:
		j.wrong("its tags had changed")
	case was.Status != j.is.Status:
		j.wrong("its status had changed")
	case !was.PushedAt.Equal(j.is.PushedAt) || !was.LastActivatedAt.Equal(j.is.LastActivatedAt):
		j.wrong("it had been pushed or restored again")
	case j.pulled(was, &j.is):
		j.wrong("it had been pulled")
	}
}

// pulled reports whether ECR recorded a pull between the two that may be somebody
// else's. A pull is the cleaner's own only if the cleaner knows that ECR records its
// pulls, and if the time is inside its read of the index.
func (j *judgement) pulled(was, is *imageOf) bool {
	return !was.LastRecordedPullTime.Equal(is.LastRecordedPullTime) && !j.own(is)
}

// own reports whether the cleaner may disregard the last pull as its own.
func (j *judgement) own(im *imageOf) bool {
	at := im.LastRecordedPullTime.Truncate(dateGrain)
	return !j.excluded && slices.ContainsFunc(j.reads[im.Digest], func(r read) bool {
		return r.by.exclusions && !at.Before(r.from.Truncate(dateGrain)) && !at.After(r.to)
	})
}

// lastPull returns the last pull of the listed image that counts. If the cleaner may
// disregard the last pull, that is an earlier pull, or none.
func (j *judgement) lastPull() time.Time {
	im := j.was
	for _, earlier := range []imageOf{j.view.first[j.digest], j.saved[j.call.repo][j.digest], {}} {
		if !j.own(&im) {
			break
		}
		im = earlier
	}
	return im.LastRecordedPullTime
}

// judgeChildren: the images below an index that was read are re-checked with the index,
// and none of them may have been pulled.
func (j *judgement) judgeChildren() {
	for _, child := range closure(j.digest, j.readChildren) {
		was, l := j.view.listing[child], j.view.rechecks[child]
		switch {
		case j.view.read[child] || was.Status != "ACTIVE" || j.was.Status != "ACTIVE":
		case l.seq == 0 || j.now.Sub(l.asked) > maxLookAge:
			j.wrong(j.names[child] + " below it was not re-checked")
		case l.image.Digest != "" && j.pulled(&was, &l.image):
			j.wrong(j.names[child] + " below it had been pulled")
		}
	}
}

// readChildren returns the listed children of an index that the run has read.
func (j *judgement) readChildren(digest string) []string {
	if !j.view.read[digest] {
		return nil
	}
	return j.children(digest)
}

// judgeSettings: the configuration protects no image of the call, and no image of the
// listing has an unknown status.
func (j *judgement) judgeSettings() {
	const tolerance = 2 * time.Minute // of a clock that is taken to be right
	switch {
	case slices.ContainsFunc(j.tagPatterns, func(tag string) bool { return slices.Contains(j.was.Tags, tag) }):
		j.wrong("a tag pattern protects it")
	case j.pulledDays > 0 && j.now.Sub(j.lastPull()) < time.Duration(j.pulledDays)*day-tolerance:
		j.wrong("it was pulled lately")
	case j.pushedHours > 0 && j.now.Sub(pushed(&j.was)) < time.Duration(j.pushedHours)*time.Hour-tolerance:
		j.wrong("it was pushed lately")
	case j.was.Status == "ACTIVATING" && j.run != "named":
		j.wrong("it is being restored")
	}
	if j.view.newest(j.keepNewest, j.digest) {
		j.wrong("it is one of the newest")
	}
	for _, im := range j.view.listing {
		if im.Status == "QUARANTINED" {
			j.wrong("the status of an image of the repository is unknown")
		}
	}
}

// younger orders images by push time and, where that is equal, by digest.
func younger(a, b *imageOf) bool {
	return pushed(a).After(pushed(b)) || pushed(a).Equal(pushed(b)) && a.Digest > b.Digest
}

func pushed(im *imageOf) time.Time {
	if im.LastActivatedAt.IsZero() {
		return im.PushedAt
	}
	return im.LastActivatedAt
}

// newest reports whether the image is one of the n newest of the plan's listing, with
// or without images that are not active. Referrers and children of active indexes do
// not count; an archived index cannot be read.
func (v *view) newest(n int, digest string) bool {
	for _, statuses := range [][]string{{"ACTIVE"}, {"ACTIVE", "ACTIVATING"}, {"ACTIVE", "ARCHIVED"}, {"ACTIVE", "ACTIVATING", "ARCHIVED"}} {
		counts := func(im *imageOf) bool { return slices.Contains(statuses, im.Status) }
		if !among(v.first, n, digest, counts, activeIndex) || !among(v.first, n, digest, counts, v.knows) {
			return false
		}
	}
	return true
}

// knows reports whether the run knows that the index lists the image, or takes it for possible:
// it does not for an image with tags while the index is unread.
func (v *view) knows(index, child *imageOf) bool {
	return activeIndex(index, child) && (v.read[index.Digest] || len(child.Tags) == 0)
}

func activeIndex(index, _ *imageOf) bool { return index.Status == "ACTIVE" }

// among reports whether the image is one of the n newest of those that count. Referrers and
// children of indexes do not, if lists is true for the index.
func among(images map[string]imageOf, n int, digest string, counts func(*imageOf) bool, lists func(index, child *imageOf) bool) bool {
	newer, counted, self := 0, false, images[digest]
	for d, im := range images {
		isChild := slices.ContainsFunc(parents(images, d), func(p string) bool { index := images[p]; return lists(&index, &im) })
		if isChild || len(subjects(&im)) > 0 || !counts(&im) {
			continue
		}
		counted = counted || d == digest
		if younger(&im, &self) {
			newer++
		}
	}
	return counted && newer < n
}

// judgeRelated: the indexes and subjects of the image must have been removed before.
// That does not apply to an image that only loses a tag, because the image stays.
func (j *judgement) judgeRelated() {
	for _, parent := range append(j.view.parents(j.digest), j.listedSubjects()...) {
		is, there := j.truth[parent]
		known := j.view.listing[parent].Status == "ARCHIVED" || j.view.rechecks[parent].image.Status == "ARCHIVED" // restored since
		archived := j.call.operation == "UpdateImageStorageClass" && (is.Status == "ARCHIVED" || known)
		// An archived index cannot be read, so the cleaner cannot order the two.
		together := j.view.listing[parent].Status == "ARCHIVED" && slices.Contains(j.call.digests, parent)
		isChild := slices.Contains(j.was.Children, parent) // of an index with the tag of its child's signature
		if there && !archived && !together && !isChild && j.tags == nil && !j.removed(parent) {
			j.wrong("it belongs to " + j.names[parent] + ", which is there")
		}
	}
	planned := func(digest string) bool { _, listed := j.view.first[digest]; return listed }
	if j.tags == nil && len(subjects(&j.was)) > 0 && !slices.ContainsFunc(subjects(&j.was), planned) && !j.deleteOrphans && !j.onlyReferrers() && j.run != "named" {
		j.wrong("it is an orphan")
	}
}

// removed reports whether ECR has confirmed that it removed the image. If somebody
// pushes the image again, it still counts as removed.
func (j *judgement) removed(digest string) bool {
	return slices.ContainsFunc(j.attempts[digest], func(a *attempt) bool { return a.answered && a.code == "" })
}

func (j *judgement) onlyReferrers() bool {
	for _, im := range j.view.first {
		if len(subjects(&im)) == 0 {
			return false
		}
	}
	return true
}

// listedSubjects returns the listed subjects of the image, without the image itself.
func (j *judgement) listedSubjects() []string {
	return slices.DeleteFunc(subjects(&j.was), func(digest string) bool {
		_, listed := j.view.listing[digest]
		return !listed || digest == j.digest
	})
}

// subjects returns the digests that a referrer refers to.
func subjects(im *imageOf) []string {
	var digests []string
	if im.SubjectDigest != "" {
		digests = append(digests, im.SubjectDigest)
	}
	for _, tag := range im.Tags {
		if rest, ok := strings.CutPrefix(tag, "sha256-"); ok {
			digests = append(digests, "sha256:"+strings.TrimSuffix(rest, ".sig"))
		}
	}
	return digests
}

// parents returns the listed indexes that list the image.
func (v *view) parents(digest string) []string { return parents(v.listing, digest) }

func parents(images map[string]imageOf, digest string) []string {
	var parents []string
	for d, im := range images {
		if d != digest && slices.Contains(im.Children, digest) {
			parents = append(parents, d)
		}
	}
	slices.Sort(parents)
	return parents
}

// below returns the listed images that an index lists, directly or not. Above
// returns the listed indexes that list the image, as far as they can be read.
func (j *judgement) below(digest string) []string { return closure(digest, j.children) }

func (j *judgement) children(digest string) []string {
	if j.view.listing[digest].Status != "ACTIVE" {
		return nil // it cannot be read
	}
	return slices.DeleteFunc(slices.Clone(j.view.listing[digest].Children), func(c string) bool { _, listed := j.view.listing[c]; return !listed })
}

func (j *judgement) above(digest string) []string {
	return closure(digest, func(d string) []string {
		return slices.DeleteFunc(j.view.parents(d), func(p string) bool { return j.view.listing[p].Status != "ACTIVE" })
	})
}

func closure(digest string, next func(string) []string) []string {
	var found []string
	for _, d := range next(digest) {
		found = append(found, d)
		found = append(found, closure(d, next)...)
	}
	return found
}

// marks reports whether the policy's only rule marks the image at that time, of
// the images listed. It knows the few rules that trials have.
func (r *rule) marks(images map[string]imageOf, digest string, at, lastPull time.Time) bool {
	im := images[digest]
	if !r.matches(&im) {
		return false
	}
	age := time.Duration(r.number) * day
	switch r.countType {
	case "imageCountMoreThan":
		newer := 0
		for _, other := range images {
			if r.matches(&other) && younger(&other, &im) {
				newer++
			}
		}
		return newer >= r.number
	case "sinceImagePulled":
		if lastPull.Before(pushed(&im)) {
			lastPull = pushed(&im)
		}
		return at.Sub(lastPull) > age
	}
	return at.Sub(pushed(&im)) > age
}

func (r *rule) matches(im *imageOf) bool {
	switch {
	case im.Status != "ACTIVE":
		return false
	case r.tagStatus == "untagged":
		return len(im.Tags) == 0
	case r.tagStatus == "tagged":
		return slices.ContainsFunc(im.Tags, isDev)
	}
	return true
}

func isDev(tag string) bool { return strings.HasPrefix(tag, "dev-") }

// judgeWanted: the rule must mark the image for this action, a person must have named it,
// or it follows an image that the run removed.
func (j *judgement) judgeWanted() {
	archives := j.call.operation == "UpdateImageStorageClass"
	switch {
	case j.run == "filtered":
		j.judgeFiltered()
		return
	case j.run == "named" && j.tagOnly:
		j.judgeNamedTags()
		return
	case j.run == "named":
		if archives || j.tags != nil || !j.named[j.digest] && !j.follows() {
			j.wrong("nobody named it")
		}
		return
	}
	marked := j.marked(j.now.Add(2 * time.Minute))
	switch {
	case j.tags != nil:
		left := slices.ContainsFunc(j.is.Tags, func(tag string) bool { return !slices.Contains(j.tags, tag) })
		if j.rule.action != "untag" || !marked || !left || slices.ContainsFunc(j.tags, func(tag string) bool { return !isDev(tag) }) {
			j.wrong("these tags are not to go")
		}
	case archives:
		if !marked || j.rule.action == "untag" || j.rule.action == "expire" && !j.archive {
			j.wrong("it is not to be archived")
		}
	default:
		if (!marked || j.rule.action != "expire" || j.archive) && !j.follows() {
			j.wrong("it is not to be deleted")
		}
	}
}

// marked reports whether the rule marks the image, as the plan listed the images or
// as they were listed last.
func (j *judgement) marked(at time.Time) bool {
	_, planned := j.view.first[j.digest]
	return planned && j.rule.marks(j.view.first, j.digest, at, j.lastPull()) || j.rule.marks(j.view.listing, j.digest, at, j.lastPull())
}

// follows reports whether the image may follow another. It is untagged, and the run
// has sent a call to remove an index or a subject of it.
func (j *judgement) follows() bool {
	tagged := slices.ContainsFunc(j.was.Tags, func(tag string) bool { return !strings.HasPrefix(tag, "sha256-") })
	removed := func(digest string) bool { // by the run, or by somebody else before the run came to it
		l := j.view.rechecks[digest]
		return j.requested[j.call.repo][digest] || l.seq > 0 && l.image.Digest == ""
	}
	roots := append(parents(j.view.first, j.digest), subjects(&j.was)...)
	return !tagged && slices.ContainsFunc(roots, removed)
}
