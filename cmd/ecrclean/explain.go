package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func explainCommand(w world) *cobra.Command {
	s := setup{world: w}
	c := &cobra.Command{
		Use:   "explain REPOSITORY IMAGE",
		Short: "Say why one image, named by tag or digest, is kept or not",
		Args:  exactArgs(2, "a repository and a tag or digest"),
		RunE: func(c *cobra.Command, args []string) error {
			session, err := s.open(c, config.Plan, limits{})
			if err != nil {
				return err
			}
			e, err := session.Explain(c.Context(), args[0], args[1])
			if err != nil {
				return failure(err)
			}
			if s.output == "json" {
				err = printJSON(s.stdout, explanationJSON(&e))
			} else {
				err = printExplanation(s.stdout, &e)
			}
			if err != nil {
				return failure(fmt.Errorf("write the explanation: %w", err))
			}
			return nil
		},
	}
	s.flags(c)
	return c
}

// explained is the JSON form of an explanation.
type explained struct {
	Repository          string               `json:"repository"`
	Policy              string               `json:"policy"`
	ImageDigest         string               `json:"imageDigest"`
	ImageTags           []string             `json:"imageTags"`
	Skipped             cleaner.SkipCode     `json:"skipped,omitempty"`
	Message             string               `json:"message,omitempty"`
	Rules               []explainedRule      `json:"rules"`
	Verdict             string               `json:"verdict"`
	AppliedRulePriority int                  `json:"appliedRulePriority,omitempty"`
	Reason              string               `json:"reason"`
	ProtectedBy         []cleaner.Protection `json:"protectedBy"`
	// Removed is true when nothing but a limit would keep the image.
	Removed bool `json:"removed"`
}

type explainedRule struct {
	RulePriority int    `json:"rulePriority"`
	Description  string `json:"description,omitempty"`
	Matches      bool   `json:"matches"`
	Marks        bool   `json:"marks"`
	Text         string `json:"text"`
}

func explanationJSON(e *cleaner.Explanation) explained {
	out := explained{
		Repository: e.Repository, ImageDigest: e.Image.Digest, ImageTags: append([]string{}, e.Image.Tags...),
		Rules: []explainedRule{}, Verdict: e.Verdict.Action.String(), ProtectedBy: append([]cleaner.Protection{}, e.ProtectedBy...),
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

func printExplanation(w io.Writer, e *cleaner.Explanation) error {
	x := explanationJSON(e)
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	line("image       %s in %s", x.ImageDigest, x.Repository)
	line("tags        %s", tagsText(x.ImageTags))
	line("status      %s, pushed %s%s", e.Image.Status, stamp(e.Image.PushedAt.Time()), pulledText(e.Image))
	switch {
	case len(e.Steps) == 0:
		line("policy      none is evaluated: %s: %s", x.Skipped, x.Message)
	case x.Skipped != "":
		line("policy      %s", x.Policy)
		line("left alone  %s: %s", x.Skipped, x.Message)
	default:
		line("policy      %s", x.Policy)
	}
	for _, rule := range x.Rules {
		line("  %s", rule.Text)
	}
	if len(e.Steps) > 0 {
		line("verdict     %s: %s", x.Verdict, x.Reason)
	}
	for _, p := range x.ProtectedBy {
		line("protected   by %s", p)
	}
	line("therefore   %s", conclusion(&x, e.Planned))
	_, err := io.WriteString(w, b.String())
	return err
}

func conclusion(x *explained, planned *cleaner.PlannedImage) string {
	switch {
	case x.Skipped != "" && len(x.Rules) > 0:
		return "kept, because its repository is left alone"
	case x.Removed:
		return fmt.Sprintf("apply %s, unless a limit or a change prevents it", removal(planned))
	case len(x.ProtectedBy) > 0 && x.Verdict != evaluator.Keep.String():
		return "kept, because it is protected"
	}
	return "kept"
}

// removal says what apply does with a planned image.
func removal(im *cleaner.PlannedImage) string {
	switch {
	case im.Action == evaluator.Untag:
		return "removes its tags " + strings.Join(im.Untag, ", ")
	case im.Archives():
		return "archives it"
	}
	return "removes it"
}

func tagsText(tags []string) string {
	if len(tags) == 0 {
		return "none"
	}
	return strings.Join(tags, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func pulledText(im evaluator.Image) string {
	if im.LastRecordedPullTime.IsZero() {
		return ", never pulled"
	}
	return ", last pulled " + stamp(im.LastRecordedPullTime.Time())
}
