// Package demo has the command demo: it plans and applies on an embedded registry, and
// explains the images that are left. Nothing leaves the machine.
package demo

import (
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const story = `A machine-learning team has four repositories and three policies:

  ml/training     keep the last 5 prod-*, expire dev-* after 30 days
  ml/serving      keep the newest 5 of any
  ml/experiments  keep the newest 5 of any
  ml/base         expire untagged images after 14 days

The tag latest is protected everywhere, and no repository may lose more than
70 percent of its images in one run.
`

// configuration has the policies of the story.
const configuration = `{
  "policies": [
    {"name": "keep 5 prod, dev 30 days", "repositories": ["ml/training"], "policy": {"rules": [
      {"rulePriority": 1, "description": "keep the last 5 prod",
       "selection": {"tagStatus": "tagged", "tagPatternList": ["prod-*"], "countType": "imageCountMoreThan", "countNumber": 5},
       "action": {"type": "expire"}},
      {"rulePriority": 2, "description": "expire dev after 30 days",
       "selection": {"tagStatus": "tagged", "tagPatternList": ["dev-*"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30},
       "action": {"type": "expire"}}]}},
    {"name": "newest 5", "repositories": ["ml/serving", "ml/experiments"], "policy": {"rules": [
      {"rulePriority": 1, "description": "keep the newest 5 of any",
       "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
       "action": {"type": "expire"}}]}},
    {"name": "untagged 14 days", "repositories": ["ml/base"], "policy": {"rules": [
      {"rulePriority": 1, "description": "expire untagged after 14 days",
       "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
       "action": {"type": "expire"}}]}}
  ],
  "protect": {"inUse": [], "tagPatterns": ["latest"], "keepNewest": 1, "pulledWithinDays": 7, "pushedWithinHours": 24},
  "limits": {"maxDeletedPercent": 70}
}`

// A filler fills the registry with images whose ages are counted back from now.
type filler struct {
	server *fakeecr.Server
	now    time.Time
}

func (f filler) push(repository string, daysAgo float64, megabytes int64, tags ...string) string {
	return f.server.Put(repository, fakeecr.Image{
		Tags: tags, SizeInBytes: megabytes * 1_000_000,
		PushedAt: f.now.Add(-time.Duration(daysAgo * 24 * float64(time.Hour))),
	})
}

// fill builds the registry of the story.
func fill(server *fakeecr.Server, now time.Time) {
	f := filler{server, now}
	f.training()
	f.serving()
	f.experiments()
	f.base()
}

// training has releases and development builds, and one development build that was
// promoted: an earlier rule matches its prod tag, so the rule for dev never deletes it.
func (f filler) training() {
	f.server.CreateRepository("ml/training")
	for i := range 8 {
		f.push("ml/training", 90-10*float64(i)-1, 2400, fmt.Sprintf("prod-1.%d", i))
	}
	f.push("ml/training", 45, 2400, "dev-4711", "prod-1.8")
	for i, daysAgo := range []float64{75, 60, 50, 40, 31, 20, 10, 2} {
		f.push("ml/training", daysAgo, 2600, fmt.Sprintf("dev-%d", 4700+10*i))
	}
}

// serving was rolled back: latest is the tag of an old image.
func (f filler) serving() {
	f.server.CreateRepository("ml/serving")
	for i := range 9 {
		tags := []string{fmt.Sprintf("v2.%d", i)}
		if i == 2 {
			tags = append(tags, "latest")
		}
		f.push("ml/serving", 80-8*float64(i), 900, tags...)
	}
}

// experiments has so many old images that the plan exceeds the limit.
func (f filler) experiments() {
	f.server.CreateRepository("ml/experiments")
	for i := range 20 {
		f.push("ml/experiments", 100-4*float64(i), 5200, fmt.Sprintf("run-%03d", i))
	}
}

// base has old builds without tags, and a multi-platform index whose children have no tags
// either, but are needed.
func (f filler) base() {
	f.server.CreateRepository("ml/base")
	for i := range 4 {
		f.push("ml/base", 60-18*float64(i), 700)
	}
	f.push("ml/base", 90, 680, "cuda-11")
	amd64 := f.push("ml/base", 20, 710)
	arm64 := f.push("ml/base", 20, 690)
	f.server.Put("ml/base", fakeecr.Image{
		Tags: []string{"cuda-12"}, SizeInBytes: 710_000_000, Children: []string{amd64, arm64},
		PushedAt: f.now.Add(-20 * 24 * time.Hour),
	})
}
