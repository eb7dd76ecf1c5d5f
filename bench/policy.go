package bench

import "fmt"

// A Share is the part of each repository that a policy marks.
type Share string

// The shares of the benchmarks.
const (
	None Share = "none"
	Some Share = "23 %"
	All  Share = "all"
)

// UntaggedDays is the age beyond which untagged images expire.
const UntaggedDays = 14

// Keep returns the number of kept images of n for the share Some.
func Keep(n int) int { return max(n*808/1000, 1) }

// Policy returns a lifecycle policy that marks about that share of a repository of n
// images: untagged images after 14 days, and all but the newest images.
func Policy(n int, share Share) string {
	days, keep := UntaggedDays, Keep(n)
	switch share {
	case None:
		days, keep = 1000, n
	case All:
		keep = 1
	case Some:
	}
	return fmt.Sprintf(`{"rules": [
  {"rulePriority": 1, "description": "untagged",
   "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": %d},
   "action": {"type": "expire"}},
  {"rulePriority": 2, "description": "all but the newest",
   "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": %d},
   "action": {"type": "expire"}}]}`, days, keep)
}

// Configuration returns a configuration with that policy for each repository and without
// limits. The policy may be "attached", in quotes. There is no in-use source, because the
// registry has no such services. The default settings protect recent pulls and pushes, the
// tag latest and the newest image.
func Configuration(policy string) string {
	return fmt.Sprintf(`{"protect": {"inUse": []},
 "limits": {"maxDeletions": 1000000000, "maxDeletionsPerRepository": 1000000000, "maxDeletedPercent": 100},
 "policies": [{"name": "bench", "policy": %s}]}`, policy)
}
