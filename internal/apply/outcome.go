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

// unknownMessage says why the effect of a call is unknown, and the state of the image
// since then.
func unknownMessage(why, since string) string {
	if since == "" || strings.Contains(why, since) {
		return why
	}
	return why + "; then " + since
}

func (a *Applier) failAll(images []*plan.Image, message string) {
	for _, im := range images {
		a.settle(im, plan.Failed, message)
	}
}

// infer settles an image that the last re-check found removed after a call without an answer.
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

// compare settles the image if its last description differs from the plan. If why is not
// empty, a call for the image had no answer for that reason. That call removed the image
// if the image is in the state after its removal.
func (a *Applier) compare(im *plan.Image, why string) {
	current, found := a.described(im.Digest)
	a.archived[im.Digest] = found && current.Status == evaluator.Archived
	im.AcceptOwnRead(current.LastRecordedPullTime)
	outcome, how := removalSeen(im, current, found)
	switch difference := im.Difference(current, a.described); {
	case why != "" && outcome != "":
		a.infer(im, outcome, why+", but "+how)
	case !found:
		a.settle(im, plan.Gone, "not there any more")
	case difference != "":
		a.settle(im, plan.Changed, difference+" changed since the plan")
	}
}

// removalSeen returns the outcome and the evidence for it if the image is in the state
// after its removal. Otherwise the outcome is empty.
func removalSeen(im *plan.Image, current evaluator.Image, found bool) (o plan.Outcome, how string) {
	switch {
	case im.Archives():
		if found && current.Status == evaluator.Archived {
			return plan.MovedToArchive, "it is in the archive class now"
		}
	case im.Action == evaluator.Untag:
		if found && onlyTagsRemoved(im, current) {
			return plan.Untagged, "its tags are not there any more"
		}
	case !found:
		return plan.Deleted, "not there any more"
	}
	return "", ""
}

// onlyTagsRemoved reports whether the image has lost the tags to remove and is otherwise
// unchanged.
func onlyTagsRemoved(im *plan.Image, current evaluator.Image) bool {
	planned := im.Image
	planned.Tags = slices.DeleteFunc(slices.Clone(im.Tags), func(tag string) bool { return slices.Contains(im.Untag, tag) })
	return plan.Difference(planned, current) == ""
}

// End gives each open image its outcome and logs the outcomes that are not in the log
// yet. Among them are those from before the first call, and Blocked, which is final only
// now.
func (a *Applier) End() {
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		switch {
		case a.settleUnanswered(im) || im.Outcome != "":
		case a.plan.Skip != nil || im.Protected():
			a.logRefused(im)
		default:
			im.Settle(plan.NotAttempted, "the run was stopped before this image; run again")
		}
		a.logOutcome(im)
	}
}

// settleUnanswered settles an image for which a call had no answer and whose outcome does
// not say so. A newer plan may have given the image another outcome, or a protection. It
// reports whether there was such a call.
func (a *Applier) settleUnanswered(im *plan.Image) bool {
	why, silent := a.unanswered[im.Digest]
	switch {
	case !silent || im.Outcome.Removed() || im.Outcome == plan.Unknown:
		return false
	case im.Outcome == plan.Gone && im.Deletes():
		a.infer(im, plan.Deleted, why+"; then "+im.Message)
	case im.Protected():
		im.ProtectedBy = nil
		im.Settle(plan.Unknown, unknownMessage(why, "a new plan protects it"))
	default:
		im.Settle(plan.Unknown, unknownMessage(why, im.Message))
	}
	return true
}

// SettleAfterFault gives each open image an outcome after a fault of the program, during
// which a call for the image may have been under way.
func SettleAfterFault(p *plan.Plan, fault string) {
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

// CheckOutcomes adds a finding to an applied plan unless each image has either a
// protection or an outcome. If the plan has a Skip, its images need neither. An image of
// a saved plan may then have an outcome such as Gone or Changed, but not one that
// removes it.
func CheckOutcomes(p *plan.Plan) {
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
	if len(wrong) > 0 {
		p.Findings = append(p.Findings, finding.Finding{Kind: finding.ProgramFault, Repository: p.Repository, Message: fmt.Sprintf(
			"the program is faulty: %d of %d images do not have exactly one of a protection and an outcome, such as %s; please report it",
			len(wrong), len(p.Images), slices.Min(wrong))})
	}
}
