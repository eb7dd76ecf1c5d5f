package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// disregardOwnReads resets the pull time of each index whose last recorded pull is an
// earlier read by this tool. The index gets the pull that was recorded before that
// read.
func (c *contents) disregardOwnReads() {
	for digest, read := range c.reads {
		i, listed := c.place(digest)
		if !listed || !read.disregards(c.images[i].LastRecordedPullTime) {
			continue
		}
		if c.ownPulled == nil {
			c.ownPulled = map[string]evaluator.Instant{}
		}
		c.ownPulled[digest] = c.images[i].LastRecordedPullTime
		c.images[i].LastRecordedPullTime = read.before
	}
}

// read returns when ECR may have recorded the reading of the index's manifest as a pull
// of this role. It is zero unless ECR is known to record the pulls of this role:
// otherwise a pull in that span is, or may be, somebody else's.
func (c *contents) read(index string) Span {
	if c.own.Excluded || c.own.Err != nil {
		return Span{}
	}
	return c.reading[index]
}

// keptByOwnPulls counts the indexes that are kept only because of their own recorded
// pull, which may be the reading of their manifest by this role. Nothing else protects
// them, and no image below them was pulled since.
func (c *contents) keptByOwnPulls(wanted []*request, protections map[int][]Protection, settings config.Protect) int {
	if c.own.Excluded {
		return 0
	}
	n := 0
	since := hoursBefore(c.Now, 24*settings.PulledWithinDays)
	for index := range c.children {
		i, listed := c.place(index)
		if !listed || !wanted[i].acts() || len(protections[i]) != 1 || protections[i][0].Kind != ByPulledWithinDays {
			continue
		}
		below := c.below(index)
		if !slices.ContainsFunc(below, func(im evaluator.Image) bool { return !im.LastRecordedPullTime.Before(since) }) {
			n++
		}
	}
	return n
}

// unmarkedByOwnPulls counts the indexes that the policy would mark if their last pull
// were no later than that of the images below them.
func (c *contents) unmarkedByOwnPulls(policy lifecycle.Policy) int {
	if c.own.Excluded || len(c.children) == 0 {
		return 0
	}
	images := slices.Clone(c.images)
	for index := range c.children {
		i, listed := c.place(index)
		below := c.below(index)
		if !listed || len(below) == 0 {
			continue
		}
		latest := slices.MaxFunc(below, func(a, b evaluator.Image) int { return a.LastRecordedPullTime.Compare(b.LastRecordedPullTime) })
		images[i].LastRecordedPullTime = min(images[i].LastRecordedPullTime, latest.LastRecordedPullTime)
	}
	n := 0
	before := evaluator.Evaluate(policy, c.images, c.Now)
	for i, v := range evaluator.Evaluate(policy, images, c.Now) {
		if _, read := c.children[images[i].Digest]; read && v.Action != evaluator.Keep && before[i].Action == evaluator.Keep {
			n++
		}
	}
	return n
}

// manifestFindings returns one finding for each reason why manifests could not be read.
func (c *contents) manifestFindings() []finding.Finding {
	byReason := map[string][]Failure{}
	for _, f := range c.failed {
		byReason[f.Error()] = append(byReason[f.Error()], f)
	}
	var findings []finding.Finding
	for reason, failed := range byReason {
		f := finding.Finding{Kind: finding.ManifestUnreadable, Repository: c.repository, Message: fmt.Sprintf(
			"the manifests of %s could not be read, such as %s: %s; images that they may list are kept",
			words.Count(len(failed), "index", "indexes"), failed[0].Digest, reason)}
		switch failed[0].Code {
		case CodeImageNotFound:
			f.Kind = finding.IndexGone
		case CodeNoIndex:
			f.Kind = finding.ManifestIsNoIndex
		}
		if remedy := remedies[failed[0].Code]; remedy != "" {
			f.Message += "; " + remedy
		}
		findings = append(findings, f)
	}
	slices.SortFunc(findings, func(a, b finding.Finding) int { return cmp.Compare(a.Message, b.Message) })
	return findings
}

// remedies say what to do about a failure code of BatchGetImage.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
var remedies = map[string]string{
	"KmsError":                "allow the key that encrypts the repository, and check that it is enabled",
	"UpstreamAccessDenied":    "check the credentials of the pull-through cache rule",
	"UpstreamTooManyRequests": "run again when the upstream registry of the pull-through cache takes more requests",
	"UpstreamUnavailable":     "run again when the upstream registry of the pull-through cache answers",
	"ImageInaccessible":       "pull the index by hand to see what is wrong with it",
	CodeNoIndex:               "delete the image by hand if it is broken",
}

// The cleaner's own codes for an index that could not be read.
const (
	// CodeNoIndex: the manifest is not that of an index.
	CodeNoIndex = "ManifestIsNoIndex"
	// CodeNoAnswer: ECR's answer does not mention the index.
	CodeNoAnswer = "NotInTheAnswer"
)
