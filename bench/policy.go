package bench

import "fmt"

// A Share is how much of each repository a policy marks.
type Share string

// The shares that are measured.
const (
	None Share = "none"
	Some Share = "23 %"
	All  Share = "all"
)

// UntaggedDays is the age beyond which untagged images expire.
const UntaggedDays = 14

// Keep returns how many images of n some are kept.
func Keep(n int) int { return max(n*808/1000, 1) }

// Policy returns the text of a lifecycle policy that marks about that share of
// a repository of n images: what is untagged for 14 days, and all but the newest.
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

// Configuration returns the text of a configuration that gives the policy to
// each repository and limits nothing; the policy may be "attached", in quotes.
// What is in use is not asked: the registry has no such services. Recent pulls
// and pushes, the tag latest and the newest image are protected, as by default.
func Configuration(policy string) string {
	return fmt.Sprintf(`{"protect": {"inUse": []},
 "limits": {"maxDeletions": 1000000000, "maxDeletionsPerRepository": 1000000000, "maxDeletedPercent": 100},
 "policies": [{"name": "bench", "policy": %s}]}`, policy)
}
