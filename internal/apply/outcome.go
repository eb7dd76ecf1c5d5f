package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Every outcome that the Applier gives an image comes from a function in this file. ECR
// can carry out a removing call late, after no answer came, and these functions keep
// track of such calls.

// settle gives the image its outcome. If a removing call for the image had no answer,
// the outcome is Unknown unless the image was found removed.
func (a *Applier) settle(im *plan.Image, o plan.Outcome, message string) {
	if why, silent := a.unanswered[im.Digest]; silent && !o.Removed() {
		o, message = plan.Unknown, unknownMessage(why, message)
	}
	im.Settle(o, message)
}

func (a *Applier) failAll(images []*plan.Image, message string) {
	for _, im := range images {
		a.settle(im, plan.Failed, message)
	}
}

// unknownMessage says why the effect of a call is unknown, and the state of the image
// since then.
func unknownMessage(why, since string) string {
	if since == "" || strings.Contains(why, since) {
		return why
	}
	return why + "; then " + since
}

// infer settles an image that the last look found removed after a call without an answer.
func (a *Applier) infer(im *plan.Image, o plan.Outcome, message string) {
	a.unanswered[im.Digest] = message
	im.Settle(o, "unconfirmed: "+message)
}

// answered settles the image by ECR's answer. If an earlier call had no answer and the
// image to delete is gone, that call deleted it. If ECR refuses the image now, the
// earlier call may still delete it, since ECR can carry out a call late.
func (a *Applier) answered(im *plan.Image, o plan.Outcome, message string) {
	switch why, before := a.unanswered[im.Digest]; {
	case before && o == plan.Gone && im.Deletes():
		a.infer(im, plan.Deleted, why+"; then "+message)
	case before && !o.Removed() && o != plan.Gone:
		a.settle(im, o, message)
	default:
		delete(a.unanswered, im.Digest)
		im.Settle(o, message)
	}
}

// judge settles the image by the last look at it. The image was removed if a call
// without an answer, for the reason why, should have left it so. Otherwise judge
// settles it as gone or changed if it is not as planned.
func (a *Applier) judge(im *plan.Image, why string) {
	current, found := a.found(im.Digest)
	a.archived[im.Digest] = found && current.Status == evaluator.Archived
	im.AcceptOwnRead(current.LastRecordedPullTime)
	outcome, how := removalSeen(im, current, found)
	switch difference := im.Difference(current, a.found); {
	case why != "" && outcome != "":
		a.infer(im, outcome, why+", but "+how)
	case !found:
		a.settle(im, plan.Gone, "not there any more")
	case difference != "":
		a.settle(im, plan.Changed, difference+" changed since the plan")
	}
}

// removalSeen returns the outcome and the evidence for it if the image is in the state
// that its removal leaves. Otherwise the outcome is empty.
func removalSeen(im *plan.Image, current evaluator.Image, found bool) (o plan.Outcome, how string) {
	switch {
	case im.Archives():
		if found && current.Status == evaluator.Archived {
			return plan.MovedToArchive, "in the archive now"
		}
	case im.Action == evaluator.Untag:
		if found && hasLostItsTags(im, current) {
			return plan.Untagged, "without them now"
		}
	case !found:
		return plan.Deleted, "not there any more"
	}
	return "", ""
}

// End gives each image that is still open its outcome. Then it logs the outcomes that
// are not in the log yet: the ones of these images, those that were known before the
// first call, and Blocked, which is final only now.
func (a *Applier) End() {
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		switch why, silent := a.unanswered[im.Digest]; {
		case silent && !im.Outcome.Removed() && im.Outcome != plan.Unknown:
			a.endUnanswered(im, why)
		case im.Outcome != "":
		case a.plan.Skip != nil || im.Protected():
			a.logRefused(im)
		default:
			im.Settle(plan.NotAttempted, "the run was stopped before it")
		}
		a.logOutcome(im)
	}
}

// settleUnanswered settles the images for which a call had no answer and which a new plan keeps,
// because a later plan may not contain them.
func (a *Applier) settleUnanswered() {
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		if why, silent := a.unanswered[im.Digest]; silent && !im.Open() && !im.Outcome.Removed() && im.Outcome != plan.Unknown {
			a.endUnanswered(im, why)
		}
	}
}

// endUnanswered settles an image for which a call had no answer. A newer plan may have
// given the image another outcome, or a protection.
func (a *Applier) endUnanswered(im *plan.Image, why string) {
	switch {
	case im.Outcome == plan.Gone && im.Deletes():
		a.infer(im, plan.Deleted, why+"; then "+im.Message)
	case im.Protected():
		im.ProtectedBy = nil
		im.Settle(plan.Unknown, unknownMessage(why, "a new plan protects it"))
	default:
		im.Settle(plan.Unknown, unknownMessage(why, im.Message))
	}
}

// BreakOff gives each open image an outcome after a fault of the program, during which
// a call for the image may have been under way.
func BreakOff(p *plan.Plan, fault string) {
	for i := range p.Images {
		switch im := &p.Images[i]; {
		case !im.Open() || p.Skip != nil:
		case p.Attempts[im.Digest] > 0:
			im.Settle(plan.Unknown, fault)
		default:
			im.Settle(plan.Failed, fault)
		}
	}
}

// CheckOutcomes adds a finding if the outcomes of an applied plan do not add up to the plan.
func CheckOutcomes(p *plan.Plan) {
	if wrong := withoutOutcome(p); len(wrong) > 0 {
		p.Findings = append(p.Findings, finding.Finding{Kind: finding.ProgramFault, Repository: p.Repository, Message: fmt.Sprintf(
			"the program is faulty: %d of %d images do not have exactly one of a protection and an outcome, such as %s; please report it",
			len(wrong), len(p.Images), wrong[0])})
	}
}

// withoutOutcome returns the digests of the images that have both a protection and an
// outcome, or neither, after the plan was applied. If the plan has a Skip, its images
// need neither. An image of a saved plan may then have an outcome such as Gone or
// Changed, but not one that removes it.
func withoutOutcome(p *plan.Plan) []string {
	var wrong []string
	for i := range p.Images {
		im := &p.Images[i]
		settled := im.Outcome != ""
		right := im.Protected() != settled
		if p.Skip != nil {
			right = !settled || !im.Protected() && !im.Outcome.Removed()
		}
		if !right {
			wrong = append(wrong, im.Digest)
		}
	}
	slices.Sort(wrong)
	return wrong
}
