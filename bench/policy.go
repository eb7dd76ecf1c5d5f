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

// Policy returns the text of a lifecycle policy that marks about that share of
// a repository of n images: what is untagged for 14 days, and all but the newest.
func Policy(n int, share Share) string {
	days, keep := 14, n*808/1000
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
   "action": {"type": "expire"}}]}`, days, max(keep, 1))
}

// Configuration returns the text of a configuration that gives the policy to
// each repository, or leaves it to the attached ones, and that limits nothing.
// What is in use is not asked: the registry has no such services. Recent pulls
// and pushes, the tag latest and the newest image are protected, as by default.
func Configuration(mode, policy string) string {
	return fmt.Sprintf(`{"mode": %q, "protect": {"inUse": []},
 "limits": {"maxDeletions": 1000000000, "maxDeletionsPerRepository": 1000000000, "maxDeletedPercent": 100},
 "policies": [{"name": "bench", "policy": %s}]}`, mode, policy)
}
