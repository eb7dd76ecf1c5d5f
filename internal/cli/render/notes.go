package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A group has messages of one kind, or failures with one message apart from the account.
type group struct {
	label        string
	first, alike string // the first message, also without the name of its repository
	repositories []string
	number       int
	differ       bool // the messages
}

// groups collects messages in their order.
type groups struct {
	all []*group
	by  map[string]*group
}

func (g *groups) add(failure bool, kind, repository, message string) {
	message = inWords(kind, message)
	key, label := kind, "note"
	// Messages often name their repository.
	alike := message
	if repository != "" {
		alike = strings.ReplaceAll(message, repository, "\x00")
	}
	if failure {
		key, label = "failed: "+user.ReplaceAllString(account.ReplaceAllString(alike, "\x01"), "$1"), "failed"
	}
	one := g.by[key]
	if one == nil {
		one = &group{label: label, first: message, alike: alike}
		g.by[key] = one
		g.all = append(g.all, one)
	} else if failure && alike != one.alike || !failure && message != one.first {
		one.differ = true
	}
	one.number++
	if repository != "" && !slices.Contains(one.repositories[max(0, len(one.repositories)-1):], repository) {
		one.repositories = append(one.repositories, repository)
	}
}

// account matches an account or an in-use source in one. User matches the user that package
// plan names of an account that failed.
var (
	account = regexp.MustCompile(`([a-z-]+@)?\b[0-9]{12}\b(/[a-z0-9-]+)?`)
	user    = regexp.MustCompile(`(has used an image of it: ).*`)
)

// line returns the messages of the group in one line.
func (g *group) line() string {
	n := len(g.repositories)
	switch {
	case n == 0 && g.number == 1:
		return fmt.Sprintf("%s: %s", g.label, g.first)
	case n == 0:
		return fmt.Sprintf("%s: %s (and %d more like it; -o wide lists all)", g.label, g.first, g.number-1)
	case n == 1 && (g.number == 1 || !g.differ):
		return fmt.Sprintf("%s: %s: %s", g.label, g.repositories[0], g.first)
	case g.differ:
		return fmt.Sprintf("%s: %s: %s (and %d more like it in %s; -o wide lists all)", g.label, g.repositories[0], g.first, g.number-1, named(g.repositories))
	}
	return fmt.Sprintf("%s: %s (%s: %s)", g.label, g.first, count(n, "repository"), named(g.repositories))
}

// inWords returns the message of a finding for a screen.
func inWords(kind, message string) string {
	sources, nothing := strings.CutPrefix(message, "no reference to its images found in ")
	if kind != string(finding.NothingReferences) || !nothing {
		return awserror.Clean(message)
	}
	return "no image in use found in " + series(strings.Split(sources, ", "), "or")
}

// series returns the names of in-use sources in a sentence. The last may be "and 3 more".
func series(sources []string, conjunction string) string {
	names := make([]string, len(sources))
	for i, name := range sources {
		names[i] = strings.TrimPrefix(name, "and ")
		service, place, elsewhere := strings.Cut(name, "@")
		if title := titles[service]; title != "" {
			names[i] = title
			if elsewhere {
				names[i] += " in " + place
			}
		}
	}
	return english.WordSeries(names, conjunction)
}

// titles are the names of services in a sentence.
var titles = map[string]string{
	"ecs": "ECS", "lambda": "Lambda", "eks": "EKS", "apprunner": "App Runner", "batch": "Batch", "codebuild": "CodeBuild",
	"sagemaker": "SageMaker", "bedrock-agentcore": "Bedrock AgentCore", "emr-serverless": "EMR Serverless",
}

// withoutFailure shortens the message of a repository that is skipped because a source in an
// account failed, and that adds why the account matters: the finding says why the source failed.
func withoutFailure(r *report.Report, message string) string {
	for _, f := range r.Findings {
		if why, also := strings.CutPrefix(message, f.Message+"; "); also && f.Kind == finding.ScanFailed {
			return "in-use scan: " + sourceOf(f) + " failed; " + why
		}
	}
	return message
}

// sourceOf returns the source in a finding of the kind ScanFailed, which begins with it.
func sourceOf(f finding.Finding) string {
	source, _, _ := strings.Cut(strings.TrimPrefix(f.Message, "in-use scan: "), ": ")
	return source
}

// named names at most three repositories.
func named(repositories []string) string {
	const most = 3
	list := strings.Join(repositories[:min(len(repositories), most)], ", ")
	if more := len(repositories) - most; more > 0 {
		list += fmt.Sprintf(" and %s more", humanize.Comma(int64(more)))
	}
	return list
}

// notes adds the failures, the limits, and the findings by kind.
func (s Screen) notes(out *text.Lines, r *report.Report, lines []summedRepository) {
	failures, others := groups{by: map[string]*group{}}, groups{by: map[string]*group{}}
	for _, f := range r.Findings {
		if f.Kind.Failure() != "" {
			failures.add(true, string(f.Kind), f.Repository, f.Message)
		} else {
			others.add(false, string(f.Kind), f.Repository, f.Message)
		}
	}
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Skipped == plan.SkipDeadline: // the messages say where it was, which does not matter
			failures.add(true, string(l.Skipped), l.Name, "the time ran out before the repository was done")
		case l.Skipped.IsFailure():
			failures.add(true, string(l.Skipped), l.Name, withoutFailure(r, l.Message))
		case l.Skipped == plan.SkipUnlistedAccount:
			others.add(false, string(l.Skipped), l.Name, l.Message)
		}
		if l.NotDone() == 0 {
			continue
		}
		for j := range l.Images {
			if im := &l.Images[j]; im.Outcome == plan.Failed || im.Outcome == plan.Unknown || im.Outcome == plan.NotAttempted {
				failures.add(true, string(im.Outcome), l.Name, strings.TrimSuffix("image "+string(im.Outcome)+": "+text.ShortDigests(im.Message), ": "))
			}
		}
	}
	before := out.Len()
	const most = 6 // groups of failures
	for i, g := range failures.all {
		if i == most {
			out.Addf("failed: for %s; -o wide lists all", count(len(failures.all)-most, "more reason"))
			break
		}
		out.Addf("%s", g.line())
	}
	s.limits(out, r, lines)
	for _, g := range others.all {
		out.Addf("%s", g.line())
	}
	if attached := AttachedPolicies(r.Totals.AttachedPolicies, "at least "); attached != "" {
		out.Addf("note: %s", attached)
	}
	if r.Omitted != nil {
		out.Addf("note: this report was shortened; it lacks %s, %s and %s, which the last lines count where they can",
			count(r.Omitted.Repositories, "repository"), count(r.Omitted.Images, "image"), count(r.Omitted.Findings, "finding"))
	}
	if out.Len() > before {
		out.WriteByte('\n')
	}
}
