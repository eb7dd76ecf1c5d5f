package cleaner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// Every outcome that the applier gives an image comes from a function in this
// file: a removing call without an answer can still be carried out later, and that
// must never be forgotten.

// removed reports whether the outcome means that the removal took place.
func (o Outcome) removed() bool { return o == Deleted || o == MovedToArchive || o == Untagged }

// settle gives the image its outcome. An image about which a removing call had no
// answer is Unknown unless it was found removed.
func (a *applier) settle(im *PlannedImage, o Outcome, message string) {
	if why, silent := a.unanswered[im.Digest]; silent && !o.removed() {
		o, message = Unknown, unknownMessage(why, message)
	}
	im.settle(o, message)
}

func (a *applier) failAll(images []*PlannedImage, message string) {
	for _, im := range images {
		a.settle(im, Failed, message)
	}
}

// unknownMessage gives the reason for which the effect of a call is not known, and the
// state of the image since.
func unknownMessage(why, since string) string {
	if since == "" || strings.Contains(why, since) {
		return why
	}
	return why + "; then " + since
}

// infer settles an image that the last look found removed after a call without an answer.
func (a *applier) infer(im *PlannedImage, o Outcome, message string) {
	a.unanswered[im.Digest] = message
	im.settle(o, "unconfirmed: "+message)
}

// answered settles the image by ECR's answer. An image that is to be deleted and
// is gone after a call without an answer was deleted by that call. An image that
// is refused may still be deleted by it, since such a call can be carried out late.
func (a *applier) answered(im *PlannedImage, o Outcome, message string) {
	switch why, before := a.unanswered[im.Digest]; {
	case before && o == Gone && im.deletes():
		a.infer(im, Deleted, why+"; then "+message)
	case before && !o.removed() && o != Gone:
		a.settle(im, o, message)
	default:
		delete(a.unanswered, im.Digest)
		im.settle(o, message)
	}
}

// judge settles the image by the last look at it: as removed if a call without an
// answer, for the reason why, was to leave it so, or else if it is not as planned.
func (a *applier) judge(im *PlannedImage, why string) {
	current, found := a.found(im.Digest)
	a.archived[im.Digest] = found && current.Status == evaluator.Archived
	im.acceptOwnRead(current.LastRecordedPullTime)
	outcome, how := im.carriedOut(current, found)
	switch difference := im.differs(current, a.found); {
	case why != "" && outcome != "":
		a.infer(im, outcome, why+", but "+how)
	case !found:
		a.settle(im, Gone, "not there any more")
	case difference != "":
		a.settle(im, Changed, difference+" changed since the plan")
	}
}

// carriedOut returns the outcome that the image has if it is as its removal would
// leave it, and how that shows.
func (im *PlannedImage) carriedOut(current evaluator.Image, found bool) (o Outcome, how string) {
	switch {
	case im.Archives():
		if found && current.Status == evaluator.Archived {
			return MovedToArchive, "in the archive now"
		}
	case im.Action == evaluator.Untag:
		if found && im.hasLostItsTags(current) {
			return Untagged, "without them now"
		}
	case !found:
		return Deleted, "not there any more"
	}
	return "", ""
}

// end gives each image that is still open its outcome, and logs the outcomes that
// are not in the log yet: these, those that were there before the first call, and
// Blocked, which is final only now.
func (a *applier) end() {
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		switch why, silent := a.unanswered[im.Digest]; {
		case silent && !im.Outcome.removed() && im.Outcome != Unknown:
			a.endUnanswered(im, why)
		case im.Outcome != "":
		case a.plan.Skip != nil || im.Protected():
			a.logRefused(im)
		default:
			im.settle(NotAttempted, "the run was stopped before it")
		}
		a.logOutcome(im)
	}
}

// recall settles the images about which a call had no answer and which a new plan
// keeps: the plan after that may not hold them.
func (a *applier) recall() {
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		if why, silent := a.unanswered[im.Digest]; silent && !im.open() && !im.Outcome.removed() && im.Outcome != Unknown {
			a.endUnanswered(im, why)
		}
	}
}

// endUnanswered settles an image about which a call had no answer. A newer plan may have
// given it another outcome, or a protection.
func (a *applier) endUnanswered(im *PlannedImage, why string) {
	switch {
	case im.Outcome == Gone && im.deletes():
		a.infer(im, Deleted, why+"; then "+im.Message)
	case im.Protected():
		im.ProtectedBy = nil
		im.settle(Unknown, unknownMessage(why, "a new plan protects it"))
	default:
		im.settle(Unknown, unknownMessage(why, im.Message))
	}
}

// breakOff gives each image that is open an outcome after a fault of the program:
// a call about it may have been under way.
func (p *RepositoryPlan) breakOff(fault string) {
	for i := range p.Images {
		switch im := &p.Images[i]; {
		case !im.open() || p.Skip != nil:
		case p.attempts[im.Digest] > 0:
			im.settle(Unknown, fault)
		default:
			im.settle(Failed, fault)
		}
	}
}

// account notes a fault of the program where the outcomes of an applied plan do not
// sum up to the plan.
func (p *RepositoryPlan) account() {
	if wrong := p.unaccounted(); len(wrong) > 0 {
		p.Findings = append(p.Findings, Finding{ProgramFault, p.Repository, fmt.Sprintf(
			"the program is faulty: %d of %d images do not have exactly one of a protection and an outcome, such as %s; please report it",
			len(wrong), len(p.Images), wrong[0])})
	}
}

// unaccounted returns the digests of the images that do not have exactly one of a
// protection and an outcome after the plan was applied. Images of a plan with a
// Skip need none. One of a saved plan may have the outcome that it is gone or has
// changed, but none is removed.
func (p *RepositoryPlan) unaccounted() []string {
	var wrong []string
	for i := range p.Images {
		im := &p.Images[i]
		settled := im.Outcome != ""
		right := im.Protected() != settled
		if p.Skip != nil {
			right = !settled || !im.Protected() && !im.Outcome.removed()
		}
		if !right {
			wrong = append(wrong, im.Digest)
		}
	}
	slices.Sort(wrong)
	return wrong
}
