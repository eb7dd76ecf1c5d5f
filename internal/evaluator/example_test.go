package evaluator_test

import (
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

const examplePolicy = `{"rules": [
  {"rulePriority": 1,
   "selection": {"tagStatus": "tagged", "tagPatternList": ["prod*"], "countType": "imageCountMoreThan", "countNumber": 1},
   "action": {"type": "expire"}},
  {"rulePriority": 2,
   "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30},
   "action": {"type": "expire"}}
]}`

// exampleImages returns three images and the instant of the evaluation.
func exampleImages() ([]evaluator.Image, time.Time) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	image := func(digest string, days int, tags ...string) evaluator.Image {
		return evaluator.Image{Digest: digest, Tags: tags, Status: evaluator.Active, PushedAt: evaluator.At(now.AddDate(0, 0, -days))}
	}
	return []evaluator.Image{
		image("sha256:aa", 90, "prod-1"),
		image("sha256:bb", 60, "prod-2"),
		image("sha256:cc", 40),
	}, now
}

func ExampleEvaluate() {
	policy, problems := lifecycle.Parse([]byte(examplePolicy), lifecycle.AWS)
	if err := problems.Err(); err != nil {
		fmt.Println(err)
		return
	}
	images, now := exampleImages()
	for _, v := range evaluator.Evaluate(policy, images, now) {
		fmt.Println(v)
	}
	// Output:
	// sha256:aa  expire  rule 1  2nd newest of 2 matching prod*, rule keeps 1
	// sha256:bb  keep  rule 1  matched by rule 1, not marked: newest of 2 matching prod*, rule keeps 1
	// sha256:cc  expire  rule 2  pushed 40d ago, limit 30d
}

func ExampleExplain() {
	policy, problems := lifecycle.Parse([]byte(examplePolicy), lifecycle.AWS)
	if err := problems.Err(); err != nil {
		fmt.Println(err)
		return
	}
	images, now := exampleImages()
	steps, _ := evaluator.Explain(policy, images, now, "sha256:bb")
	for _, s := range steps {
		fmt.Println(s)
	}
	// Output:
	// rule 1: matches, does not mark: newest of 2 matching prod*, rule keeps 1; decides that the image is kept
	// rule 2: matches, marks: pushed 60d ago, limit 30d; already decided by rule 1
}
