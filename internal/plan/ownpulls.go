package plan

import (
	"context"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// OwnPulls says whether ECR records the pulls of the role that makes the calls. Reading a
// manifest is a pull. ECR records it unless the role is a pull-time exclusion.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-time-update-exclusions.html
type OwnPulls struct {
	// Excluded is true when ECR does not record the pulls.
	Excluded bool
	// Principal is the ARN to register as an exclusion; empty when unknown.
	Principal string
	// Err says why Excluded is not known, or is nil.
	Err error
}

// OwnPullsOnce gets the OwnPulls of a run, once.
type OwnPullsOnce struct {
	ask    func(context.Context) OwnPulls
	turn   chan struct{}
	asked  bool
	answer OwnPulls
}

// AskOnce returns an ownPulls that calls ask at most once, also when it is used
// concurrently. A nil ask means that ECR records the pulls.
func AskOnce(ask func(context.Context) OwnPulls) *OwnPullsOnce {
	if ask == nil {
		ask = func(context.Context) OwnPulls { return OwnPulls{} }
	}
	return &OwnPullsOnce{ask: ask, turn: make(chan struct{}, 1)}
}

// Get returns the answer. A nil ownPulls answers that ECR records the pulls. A caller
// whose context ends gets an error, which is not kept for other callers.
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
	if answer.Err != nil && ctx.Err() != nil {
		return answer
	}
	o.asked, o.answer = true, answer
	return answer
}

// Known returns the answer, and whether there is one.
func (o *OwnPullsOnce) Known() (OwnPulls, bool) { return o.answer, o.asked }

// A Span is a span of ECR's own time in whole seconds, both ends included. The zero
// Span holds no instant.
type Span struct{ From, To time.Time }

// holds reports whether the instant, cut to its second, is in the span.
func (s Span) holds(t evaluator.Instant) bool {
	second := t.Time().Truncate(time.Second)
	return !s.From.IsZero() && !second.Before(s.From) && !second.After(s.To)
}

// An ownRead is a read of an index's manifest by this tool. ECR may have recorded it as
// a pull, but only once, since ECR records one pull in 24 hours.
type ownRead struct {
	Span
	// before is the last recorded pull in the listing before the read.
	before evaluator.Instant
	// recorded is the pull that ECR recorded for an earlier read; zero if there is none.
	recorded evaluator.Instant
}

// disregards reports whether a recorded pull other than before is due to the read.
func (r ownRead) disregards(pull evaluator.Instant) bool {
	return pull.After(r.before) && (pull == r.recorded || r.holds(pull))
}

// AcceptOwnRead notes the pull if ECR recorded it for the read of the index's manifest.
// It accepts one pull for each read: any other recorded pull is somebody else's.
func (im *Image) AcceptOwnRead(pull evaluator.Instant) {
	if pull.After(im.LastRecordedPullTime) && pull.After(im.ownPull) && im.Read.holds(pull) && !im.readSeen {
		im.ownPull, im.readSeen = pull, true
	}
}

// isOwnPull reports whether the pull is the one that ECR recorded for a read by
// this tool.
func (im *Image) isOwnPull(pull evaluator.Instant) bool {
	return !im.ownPull.IsZero() && pull == im.ownPull
}
