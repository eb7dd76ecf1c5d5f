package apply

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Every outcome of an image comes from a function in this file. They keep track of calls
// without an answer, which ECR can carry out late.

// settle gives the image its outcome, or Unknown if the image was not removed and a call
// for it had no answer.
func (a *Applier) settle(im *plan.Image, o plan.Outcome, message string) {
	if why, silent := a.unanswered[im.Digest]; silent && !o.Removed() {
		o, message = plan.Unknown, unknownMessage(why, message)
	}
	im.Settle(o, message)
}

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

// infer settles an image that was found removed after a call without an answer.
func (a *Applier) infer(im *plan.Image, o plan.Outcome, message string) {
	a.unanswered[im.Digest] = message
	im.Settle(o, "unconfirmed: "+message)
}

// answered settles the image by ECR's answer. If an earlier call had no answer, that call
// deleted an image that is gone now, and may still delete an image that ECR refuses.
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
// empty, a call had no answer for that reason, and may have caused the difference.
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

// removalSeen returns the outcome of an image that is in the state after its removal, and
// the evidence for it. Otherwise both are empty.
func removalSeen(im *plan.Image, current evaluator.Image, found bool) (o plan.Outcome, how string) {
	switch {
	case im.Archives() && found && current.Status == evaluator.Archived:
		return plan.MovedToArchive, "it is in the archive class now"
	case im.Action == evaluator.Untag && found && onlyTagsRemoved(im, current):
		return plan.Untagged, "its tags are not there any more"
	case im.Deletes() && !found:
		return plan.Deleted, "not there any more"
	}
	return "", ""
}

func onlyTagsRemoved(im *plan.Image, current evaluator.Image) bool {
	planned := im.Image
	planned.Tags = slices.DeleteFunc(slices.Clone(im.Tags), func(tag string) bool { return slices.Contains(im.Untag, tag) })
	return plan.Difference(planned, current) == ""
}

// End gives each open image its outcome, and logs the outcomes that are not in the log.
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

// settleUnanswered settles an image after a call without an answer, unless its outcome
// says so already, and reports whether it did. The plan may be newer than the call.
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

// SettleAfterFault gives each open image an outcome after a fault of the program. It is
// Unknown if there was a call for the image.
func SettleAfterFault(p *plan.Plan, fault string) {
	for _, im := range p.Open() {
		switch {
		case p.Skip != nil:
		case p.Attempts[im.Digest] > 0:
			im.Settle(plan.Unknown, fault)
		default:
			im.Settle(plan.Failed, fault)
		}
	}
}

// CheckOutcomes adds a finding to an applied plan unless each image has either a
// protection or an outcome. If the plan has a Skip, an image may have neither, and must
// not be removed.
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

// Logger returns log with the repository and the policy of the plan in each line.
func Logger(log *slog.Logger, p *plan.Plan) *slog.Logger {
	policy := ""
	if p.Entry != nil {
		policy = p.Entry.Name
	}
	return log.With(slog.String("repository", p.Repository), slog.String("policy", policy))
}

// logIntent counts the next removing call for the images, and writes a line for each
// image. The log has the line even if the process dies during the call.
func (a *Applier) logIntent(batch []*plan.Image) {
	for _, im := range batch {
		a.plan.Attempts[im.Digest]++
	}
	if !a.log.Enabled(a.ctx, slog.LevelInfo) {
		return
	}
	for _, im := range batch {
		a.log.LogAttrs(a.ctx, slog.LevelInfo, "intent", append(attrs(im), slog.Int("attempt", a.plan.Attempts[im.Digest]))...)
	}
}

// logOutcome writes the outcome of the image, if it has one, once. Unconfirmed is true if
// a call had no answer and the outcome is inferred.
func (a *Applier) logOutcome(im *plan.Image) {
	if im.Outcome == "" || a.logged[im.Digest] || !a.log.Enabled(a.ctx, slog.LevelError) {
		return
	}
	a.logged[im.Digest] = true
	level := slog.LevelInfo
	if im.Outcome == plan.Failed || im.Outcome == plan.Unknown {
		level = slog.LevelError
	}
	by := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		by[i] = p.String()
	}
	_, unconfirmed := a.unanswered[im.Digest]
	a.log.LogAttrs(a.ctx, level, "image", append(attrs(im),
		slog.String("outcome", string(im.Outcome)),
		slog.Bool("unconfirmed", unconfirmed),
		slog.String("message", im.Message),
		slog.String("protected_by", strings.Join(by, "; ")))...)
}

// logRefused ends the intent of an image that a new plan keeps. In the report the image
// has no outcome.
func (a *Applier) logRefused(im *plan.Image) {
	if a.plan.Attempts[im.Digest] > 0 {
		refused := *im
		refused.Settle(plan.Blocked, "not removed, and then kept by a new plan")
		a.logOutcome(&refused)
	}
}

func attrs(im *plan.Image) []slog.Attr {
	return []slog.Attr{
		slog.String("digest", im.Digest),
		slog.String("tags", strings.Join(im.Tags, " ")),
		slog.Time("pushed_at", im.PushedAt.Time()),
		slog.Int64("size_in_bytes", im.SizeInBytes),
		slog.String("verdict", string(im.Action)),
		slog.Int("rule_priority", im.Rule),
		slog.String("reason", im.Reason),
		slog.String("untag", strings.Join(im.Untag, " ")),
	}
}
