package inspect

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const oneImage = "one image: REPOSITORY:TAG, REPOSITORY@DIGEST, or a repository and a tag or digest"

// Explain returns the command explain.
func Explain(f *session.Flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "explain [REPOSITORY] IMAGE",
		Short: "Say why one image, named by tag or digest, is kept or removed",
		Long: `Say why one image, named by tag or digest, is kept or removed.

` + session.ImageNames,
		Args: session.Args(1, 2, oneImage),
		RunE: f.InSession(config.Plan, func(ctx context.Context, s *session.Session, args []string) error {
			image, err := s.Images(args, 1, oneImage)
			if err != nil {
				return err
			}
			e, err := s.Explain(ctx, image.Repository, image.Names[0])
			if err != nil {
				return exit.Failuref("%w", image.Hint(err))
			}
			x := newExplained(&e)
			return f.Print("explanation", text.JSON(x), func(on terminal.Terminal) string { return explanation(&e, x, on) })
		}),
	}
	f.AddRegistry(c)
	f.AddPolicy(c)
	f.AddExec(c)
	return c
}

type explained struct {
	Repository          string            `json:"repository"`
	Policy              string            `json:"policy"`
	ImageDigest         string            `json:"imageDigest"`
	ImageTags           []string          `json:"imageTags"`
	Skipped             plan.SkipCode     `json:"skipped,omitempty"`
	Message             string            `json:"message,omitempty"`
	Rules               []explainedRule   `json:"rules"`
	Verdict             string            `json:"verdict"`
	AppliedRulePriority int               `json:"appliedRulePriority,omitempty"`
	Reason              string            `json:"reason"`
	ProtectedBy         []plan.Protection `json:"protectedBy"`
	// Removed is true if apply would remove the image, unless a limit prevents it.
	Removed bool `json:"removed"`
}

type explainedRule struct {
	RulePriority int    `json:"rulePriority"`
	Description  string `json:"description,omitempty"`
	Matches      bool   `json:"matches"`
	Marks        bool   `json:"marks"`
	Text         string `json:"text"`
}

func newExplained(e *plan.Explanation) *explained {
	out := &explained{
		Repository: e.Repository, ImageDigest: e.Image.Digest, ImageTags: append([]string{}, e.Image.Tags...),
		Rules: []explainedRule{}, Verdict: e.Verdict.Action.String(), ProtectedBy: append([]plan.Protection{}, e.ProtectedBy...),
	}
	if e.Entry != nil {
		out.Policy = e.Entry.Name
	}
	for _, step := range e.Steps {
		out.Rules = append(out.Rules, explainedRule{
			step.Rule.RulePriority, step.Rule.Description, step.Matches(), step.Marks(), step.String(),
		})
	}
	switch {
	case e.Skip != nil && len(e.Steps) == 0:
		out.Reason = e.Skip.Message
	case e.Planned != nil:
		out.Verdict, out.AppliedRulePriority, out.Reason = e.Planned.Action.String(), e.Planned.Rule, e.Planned.Reason
	default:
		out.Reason = e.Verdict.Why()
		if e.Verdict.Rule != nil {
			out.AppliedRulePriority = e.Verdict.Rule.RulePriority
		}
	}
	if e.Skip != nil {
		out.Skipped, out.Message = e.Skip.Code, e.Skip.Message
	}
	out.Removed = e.Planned != nil && !e.Planned.Protected() && e.Skip == nil
	return out
}

func explanation(e *plan.Explanation, x *explained, on terminal.Terminal) string {
	var out text.Lines
	line := out.Addf
	image := fmt.Sprintf("image       %s in %s", x.ImageDigest, x.Repository)
	if on.Width > 0 && text.Width(image) > on.Width {
		image = fmt.Sprintf("image       %s in %s", text.ShortDigest(x.ImageDigest), x.Repository)
	}
	line("%s", image)
	line("tags        %s", cmp.Or(strings.Join(x.ImageTags, ", "), "none"))
	pulled := "never pulled"
	if at := e.Image.LastRecordedPullTime; !at.IsZero() {
		pulled = "last pulled " + text.Time(at.Time())
	}
	line("status      %s, pushed %s, %s", e.Image.Status, text.Time(e.Image.PushedAt.Time()), pulled)
	if len(e.Steps) == 0 {
		line("policy      none is evaluated: %s: %s", x.Skipped, awserror.Clean(x.Message))
	} else {
		line("policy      %s", x.Policy)
		if x.Skipped != "" {
			line("skipped     %s: %s", x.Skipped, strings.TrimPrefix(awserror.Clean(x.Message), string(x.Skipped)+": "))
		}
	}
	for _, rule := range x.Rules {
		line("  %s", text.Days(rule.Text))
	}
	if len(e.Steps) > 0 {
		line("verdict     %s: %s", x.Verdict, text.Days(x.Reason))
	}
	for _, p := range x.ProtectedBy {
		line("protected   by %s", p)
	}
	line("therefore   %s", conclusion(x, e.Planned))
	return out.String()
}

func conclusion(x *explained, planned *plan.Image) string {
	switch {
	case x.Skipped != "" && len(x.Rules) > 0:
		return "kept, because its repository is skipped"
	case x.Removed:
		does := "removes it"
		if planned.Action == evaluator.Untag {
			does = "removes its tags " + strings.Join(planned.Untag, ", ")
		} else if planned.Archives() {
			does = "archives it"
		}
		return "apply " + does + ", unless a limit or a change prevents it"
	case len(x.ProtectedBy) > 0 && x.Verdict != evaluator.Keep.String():
		return "kept, because it is protected"
	}
	return "kept"
}
