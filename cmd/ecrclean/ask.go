package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// ask shows a plan and asks whether to apply it. The plan goes to the standard error
// stream, because the standard output is for the report of the run.
func (s *session) ask(plan *cleaner.Report) (agreed bool, err error) {
	if err := printTable(s.stderr, plan); err != nil {
		return false, failure(err)
	}
	removals, _ := plan.Removals()
	if removals == 0 {
		fmt.Fprintln(s.stderr, "Nothing to remove.")
		plan.Mode = config.Apply // in mode apply, a repository that a limit skips is not handled
		return false, s.judge(plan)
	}
	return s.confirm(question(plan, removals), "Nothing was removed.", "give --yes to apply without asking")
}

// question returns the question whether to carry out a plan. The plan must hold all its
// images.
func question(plan *cleaner.Report, removals int) string {
	archives, untags := 0, 0
	for i := range plan.Repositories {
		r := &plan.Repositories[i]
		if r.Skipped != "" {
			continue
		}
		for j := range r.Images {
			switch im := &r.Images[j]; {
			case len(im.ProtectedBy) > 0:
			case im.Verdict == evaluator.Untag:
				untags++
			case im.Archives():
				archives++
			}
		}
	}
	deletes := removals - archives - untags
	if deletes == removals {
		return fmt.Sprintf("Remove %d images from account %s in %s? This cannot be undone.", removals, plan.Account, plan.Region)
	}
	var parts []string
	warning := ""
	if deletes > 0 {
		parts = append(parts, "delete "+imagesText(deletes))
		warning = " A deleted image cannot be restored."
	}
	if archives > 0 {
		parts = append(parts, "archive "+imagesText(archives))
	}
	if untags > 0 {
		parts = append(parts, "remove tags from "+imagesText(untags))
	}
	last := len(parts) - 1
	what := parts[last]
	if last > 0 {
		what = strings.Join(parts[:last], ", ") + " and " + what
	}
	return fmt.Sprintf("In account %s in %s, %s?%s", plan.Account, plan.Region, what, warning)
}

func imagesText(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

// confirm asks on the standard error stream and reports whether the answer is "yes".
// After any other answer it prints declined. If the input ends without an answer, the
// error is a usage error with instead, which says how to run without a question.
func (s *setup) confirm(question, declined, instead string) (agreed bool, err error) {
	fmt.Fprintf(s.stderr, "\n%s Type yes to go on: ", question)
	answer, err := bufio.NewReader(s.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(s.stderr, "\n"+declined)
		return false, failure(fmt.Errorf("read the answer: %w", err))
	}
	if strings.TrimSpace(answer) == "yes" {
		fmt.Fprintln(s.stderr)
		return true, nil
	}
	fmt.Fprintln(s.stderr, "\n"+declined)
	if errors.Is(err, io.EOF) && strings.TrimSpace(answer) == "" {
		return false, usageError(errors.New("no answer on the standard input; " + instead))
	}
	return false, nil
}
