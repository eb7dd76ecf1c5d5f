package hostile_test

import (
	"slices"
	"strings"
	"time"
)

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
	if j.run == "named" {
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
