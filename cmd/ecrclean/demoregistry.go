package main

import (
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const demoStory = `A machine-learning team has four repositories and three policies:

  ml/training     keep the last 5 prod-*, expire dev-* after 30 days
  ml/serving      keep the newest 5 of any
  ml/experiments  keep the newest 5 of any
  ml/base         expire untagged images after 14 days

The tag latest is protected everywhere, and no repository may lose more than
70 percent of its images in one run.
`

// demoConfiguration is what the story says, as a configuration.
const demoConfiguration = `{
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

// A demoRegistry is filled with images whose ages are counted back from now.
type demoRegistry struct {
	server *fakeecr.Server
	now    time.Time
}

func (d demoRegistry) push(repository string, daysAgo float64, megabytes int64, tags ...string) string {
	return d.server.Put(repository, fakeecr.Image{
		Tags: tags, SizeInBytes: megabytes * 1_000_000,
		PushedAt: d.now.Add(-time.Duration(daysAgo * 24 * float64(time.Hour))),
	})
}

// fillDemo builds the registry of the story.
func fillDemo(server *fakeecr.Server, now time.Time) {
	d := demoRegistry{server, now}
	d.training()
	d.serving()
	d.experiments()
	d.base()
}

// training has releases and development builds, and one development build that
// was promoted: its prod tag shields it from the rule for dev.
func (d demoRegistry) training() {
	d.server.CreateRepository("ml/training")
	for i := range 8 {
		d.push("ml/training", 90-10*float64(i)-1, 2400, fmt.Sprintf("prod-1.%d", i))
	}
	d.push("ml/training", 45, 2400, "dev-4711", "prod-1.8")
	for i, daysAgo := range []float64{75, 60, 50, 40, 31, 20, 10, 2} {
		d.push("ml/training", daysAgo, 2600, fmt.Sprintf("dev-%d", 4700+10*i))
	}
}

// serving was rolled back: latest is on an old image.
func (d demoRegistry) serving() {
	d.server.CreateRepository("ml/serving")
	for i := range 9 {
		tags := []string{fmt.Sprintf("v2.%d", i)}
		if i == 2 {
			tags = append(tags, "latest")
		}
		d.push("ml/serving", 80-8*float64(i), 900, tags...)
	}
}

// experiments has so many old images that the plan exceeds the limit.
func (d demoRegistry) experiments() {
	d.server.CreateRepository("ml/experiments")
	for i := range 20 {
		d.push("ml/experiments", 100-4*float64(i), 5200, fmt.Sprintf("run-%03d", i))
	}
}

// base has old builds that lost their tags, and a multi-platform index whose
// children are untagged as well, but needed.
func (d demoRegistry) base() {
	d.server.CreateRepository("ml/base")
	for i := range 4 {
		d.push("ml/base", 60-18*float64(i), 700)
	}
	d.push("ml/base", 90, 680, "cuda-11")
	amd64 := d.push("ml/base", 20, 710)
	arm64 := d.push("ml/base", 20, 690)
	d.server.Put("ml/base", fakeecr.Image{
		Tags: []string{"cuda-12"}, SizeInBytes: 710_000_000, Children: []string{amd64, arm64},
		PushedAt: d.now.Add(-20 * 24 * time.Hour),
	})
}
