package cleaner

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
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

// ownPulls gets the OwnPulls of a run, once.
type ownPulls struct {
	ask    func(context.Context) OwnPulls
	turn   chan struct{}
	asked  bool
	answer OwnPulls
	// kept counts the indexes that are kept because the reading of their manifests
	// may count as a pull.
	kept atomic.Int64
}

// newOwnPulls returns an ownPulls that calls ask at most once, also when it is used
// concurrently. A nil ask means that ECR records the pulls.
func newOwnPulls(ask func(context.Context) OwnPulls) *ownPulls {
	if ask == nil {
		ask = func(context.Context) OwnPulls { return OwnPulls{} }
	}
	return &ownPulls{ask: ask, turn: make(chan struct{}, 1)}
}

// get returns the answer. A nil ownPulls answers that ECR records the pulls. A caller
// whose context ends gets an error, which is not kept for other callers.
func (o *ownPulls) get(ctx context.Context) OwnPulls {
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

// acceptOwnRead notes the pull if ECR recorded it for the read of the index's manifest.
// It accepts one pull for each read: any other recorded pull is somebody else's.
func (im *PlannedImage) acceptOwnRead(pull evaluator.Instant) {
	if pull.After(im.LastRecordedPullTime) && pull.After(im.ownPull) && im.Read.holds(pull) && !im.readSeen {
		im.ownPull, im.readSeen = pull, true
	}
}

// pulledOnlyByUs reports whether the pull is the one that ECR recorded for a read by
// this tool.
func (im *PlannedImage) pulledOnlyByUs(pull evaluator.Instant) bool {
	return !im.ownPull.IsZero() && pull == im.ownPull
}

// endOwnPulls adds a finding with the number of indexes that are kept because reading
// their manifests counts as a pull, or may count as one.
func (r *Report) endOwnPulls(ctx context.Context, pulls *ownPulls) {
	if !pulls.asked {
		return
	}
	known, kept := pulls.get(ctx), int(pulls.kept.Load())
	switch {
	case known.Err != nil:
		r.Findings = append(r.Findings, Finding{OwnPullsUnknown, "", fmt.Sprintf(
			"it is not known whether ECR records the reads of this role as pulls (%v), so every recorded pull of an index counts; %s kept only for that reason; allow the role ecr:ListPullTimeUpdateExclusions, and see that it can reach STS",
			known.Err, indexes(kept))})
	case kept > 0:
		r.Findings = append(r.Findings, Finding{OwnPullsCount, "", fmt.Sprintf(
			"%s kept because this role's reads count as pulls; if this role does not pull images to run them, as SSO, CI and node roles do, register it: aws ecr register-pull-time-update-exclusion --principal-arn %s",
			indexes(kept), cmp.Or(known.Principal, "ROLE_ARN"))})
	}
}

func indexes(n int) string { return plural(n, "index is", "indexes are") }
