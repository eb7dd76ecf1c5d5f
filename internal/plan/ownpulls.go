package plan

import (
	"context"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// OwnPulls says whether ECR records this role's pulls, such as the read of a manifest. It
// does unless the role is a pull-time exclusion.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-time-update-exclusions.html
type OwnPulls struct {
	Excluded  bool   // true if ECR does not record the pulls
	Principal string // the ARN to register as an exclusion; empty if unknown
	Err       error  // why Excluded is not known, or nil
}

// OwnPullsOnce gets the OwnPulls of a run once. It is safe for concurrent use.
type OwnPullsOnce struct {
	ask    func(context.Context) OwnPulls
	turn   chan struct{} // a lock that a caller can stop waiting for
	asked  bool
	answer OwnPulls
}

// AskOnce returns an OwnPullsOnce that calls ask once, and again only if the context ended.
// A nil ask means that ECR records the pulls.
func AskOnce(ask func(context.Context) OwnPulls) *OwnPullsOnce {
	if ask == nil {
		ask = func(context.Context) OwnPulls { return OwnPulls{} }
	}
	return &OwnPullsOnce{ask: ask, turn: make(chan struct{}, 1)}
}

// Get returns the answer, or an error if the context ends first. A nil OwnPullsOnce
// answers that ECR records the pulls.
func (o *OwnPullsOnce) Get(ctx context.Context) OwnPulls {
	if o == nil {
		return OwnPulls{}
	}
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return OwnPulls{Err: ctx.Err()}
	}
	if o.asked {
		return o.answer
	}
	answer := o.ask(ctx)
	if answer.Err == nil || ctx.Err() == nil {
		o.asked, o.answer = true, answer
	}
	return answer
}

// Known returns the answer, and whether Get has one.
func (o *OwnPullsOnce) Known() (OwnPulls, bool) { return o.answer, o.asked }

// A Span is a range of ECR's time in whole seconds, both included. The zero Span is empty.
type Span struct{ From, To time.Time }

func (s Span) contains(t evaluator.Instant) bool {
	second := t.Time().Truncate(time.Second)
	return !s.From.IsZero() && !second.Before(s.From) && !second.After(s.To)
}

// An ownRead is a read of a manifest by the cleaner. ECR records it as a pull at most once,
// because it records one pull in 24 hours.
type ownRead struct {
	Span
	before   evaluator.Instant // the last pull before the read; zero if none
	recorded evaluator.Instant // the pull of an earlier read; zero if none
}

func readsOf(images []*Image) map[string]ownRead {
	reads := map[string]ownRead{}
	for _, im := range images {
		read := ownRead{im.Read, im.LastRecordedPullTime, im.ownPull}
		if im.readSeen { // ECR does not record the read again
			read.Span = Span{}
		}
		if !read.From.IsZero() || !read.recorded.IsZero() {
			reads[im.Digest] = read
		}
	}
	return reads
}

// AcceptOwnRead notes the pull if ECR recorded it for Read. It accepts only one pull.
func (im *Image) AcceptOwnRead(pull evaluator.Instant) {
	if pull.After(im.LastRecordedPullTime) && pull.After(im.ownPull) && im.Read.contains(pull) && !im.readSeen {
		im.ownPull, im.readSeen = pull, true
	}
}

// disregardOwnReads undoes each last pull that is an earlier read by the cleaner.
func (c *contents) disregardOwnReads() {
	c.ownPulled = map[string]evaluator.Instant{}
	for digest, read := range c.reads {
		i, listed := c.listing.Position(digest)
		if !listed {
			continue
		}
		pull := c.images[i].LastRecordedPullTime
		if pull.After(read.before) && (pull == read.recorded || read.contains(pull)) {
			c.ownPulled[digest], c.images[i].LastRecordedPullTime = pull, read.before
		}
	}
}

func (c *contents) readOf(index string) Span {
	if c.own.Excluded || c.own.Err != nil {
		return Span{}
	}
	return c.readAt[index]
}

// keptByOwnPulls counts the indexes that only a last pull protects, which may be this role's
// read. It is the pull of the index itself, or of an image of an idle family.
func (u *imagesInUse) keptByOwnPulls(requests []*request, protections map[int][]Protection, settings config.Protect) int {
	if u.own.Excluded {
		return 0
	}
	n := 0
	for index := range u.children {
		i, listed := u.listing.Position(index)
		if !listed || !requests[i].acts() {
			continue
		}
		days := u.pullDays(&u.images[i], protections[i], settings)
		since := hoursBefore(u.Now, 24*days)
		if days > 0 && !slices.ContainsFunc(u.below(index), func(im evaluator.Image) bool { return !im.LastRecordedPullTime.Before(since) }) {
			n++
		}
	}
	return n
}

// pullDays returns for how many days the image is protected after a pull, or 0 if it is also
// protected without one.
func (u *imagesInUse) pullDays(im *evaluator.Image, by []Protection, settings config.Protect) (days int) {
	family := settings.ECS.FamilyDays
	for _, p := range by {
		switch {
		case p.Kind == ByPulledWithinDays:
			days = max(days, settings.PulledWithinDays)
		case p.Kind == ByInUse && !u.needed[im.Digest] && family > 0 && im.PushedAt.Before(hoursBefore(u.Now, 24*family)):
			days = max(days, family)
		default:
			return 0
		}
	}
	return days
}

// unmarkedByOwnPulls counts the indexes that the policy keeps only because of their own last
// pull, which is later than those of the images below them.
func (c *contents) unmarkedByOwnPulls(policy lifecycle.Policy) int {
	countsPulls := func(r lifecycle.Rule) bool { return r.Selection.CountType == lifecycle.SinceImagePulled }
	if c.own.Excluded || len(c.children) == 0 || !slices.ContainsFunc(policy.Rules, countsPulls) {
		return 0
	}
	images := slices.Clone(c.images)
	for index := range c.children {
		if i, listed := c.listing.Position(index); listed {
			if below := c.below(index); len(below) > 0 {
				images[i].LastRecordedPullTime = min(images[i].LastRecordedPullTime, latestPull(below))
			}
		}
	}
	n := 0
	before := evaluator.Evaluate(policy, c.images, c.Now)
	for i, v := range evaluator.Evaluate(policy, images, c.Now) {
		if _, read := c.children[images[i].Digest]; read && v.Action != evaluator.Keep && before[i].Action == evaluator.Keep {
			n++
		}
	}
	return n
}
