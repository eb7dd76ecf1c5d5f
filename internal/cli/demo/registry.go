// Package demo has the command demo, which plans and applies on an embedded registry and
// explains the images that are left. Nothing leaves the machine.
package demo

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

//go:embed story.txt
var story string

//go:embed configuration.json
var configuration string

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

// training has releases and development builds. One build was promoted: a rule matches its
// prod tag first, so the rule for dev never deletes it.
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

// base has old builds without tags, and a multi-platform index with untagged children.
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
