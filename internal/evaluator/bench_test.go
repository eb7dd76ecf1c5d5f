package evaluator_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// benchmarkPolicy returns a policy of that many rules. Half of them count and
// half go by age; they match many images, and the last one any.
func benchmarkPolicy(rules int) lifecycle.Policy {
	var p lifecycle.Policy
	for i := range rules {
		r := rule(i+1, lifecycle.ImageCountMoreThan, 10)
		if i%2 == 1 {
			r = rule(i+1, lifecycle.SinceImagePushed, 30)
		}
		if i < rules-1 {
			r.Selection.TagStatus = lifecycle.Tagged
			pattern, err := lifecycle.ParseTagPattern(fmt.Sprintf("*-%d*-x", i%10))
			if err != nil {
				panic(err)
			}
			r.Selection.TagPatternList = []lifecycle.TagPattern{pattern}
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// extendedBenchmarkPolicy returns a policy of that many rules, each with the
// extensions that look at tags, the first of which retain or untag.
func extendedBenchmarkPolicy(rules int) lifecycle.Policy {
	p := benchmarkPolicy(rules)
	x, err := lifecycle.ParseTagRegex(`release-\d*7-x|build-0.*`)
	if err != nil {
		panic(err)
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		s := &r.Selection
		if s.TagStatus == lifecycle.Tagged {
			s.TagExcludePatternList = s.TagPatternList
			s.TagPatternList, s.TagRegexList, s.TagMatchAny = nil, []lifecycle.TagRegex{x, x}, true
			r.Action.Type = lifecycle.Untag
		}
		if s.CountType == lifecycle.SinceImagePushed {
			s.KeepNewest = 10
		}
	}
	return p
}

// benchmarkImages returns images in the random order in which ECR lists them.
func benchmarkImages(n int) []evaluator.Image {
	random := rand.New(rand.NewPCG(1, 2))
	images := make([]evaluator.Image, n)
	for i := range images {
		tag := fmt.Sprintf("release-%d-x", random.IntN(100_000))
		images[i] = evaluator.Image{
			Digest:   fmt.Sprintf("sha256:%064x", random.Uint64()),
			Tags:     []string{fmt.Sprintf("build-%08x", random.Uint32()), tag},
			Status:   evaluator.Active,
			PushedAt: evaluator.At(noon.Add(-time.Duration(random.Int64N(int64(365*day))) / 1e6 * 1e6)),
		}
	}
	return images
}

func BenchmarkEvaluate(b *testing.B) {
	for _, images := range []int{100, 1_000, 10_000, 100_000} {
		for _, rules := range []int{1, 5, 50} {
			b.Run(fmt.Sprintf("images=%d,rules=%d", images, rules), func(b *testing.B) {
				p, ims := benchmarkPolicy(rules), benchmarkImages(images)
				b.ReportAllocs()
				for b.Loop() {
					evaluator.Evaluate(p, ims, noon)
				}
			})
		}
	}
}

func BenchmarkEvaluateExtended(b *testing.B) {
	for _, rules := range []int{1, 5, 50} {
		b.Run(fmt.Sprintf("images=1000,rules=%d", rules), func(b *testing.B) {
			p, ims := extendedBenchmarkPolicy(rules), benchmarkImages(1_000)
			b.ReportAllocs()
			for b.Loop() {
				evaluator.Evaluate(p, ims, noon)
			}
		})
	}
}

// BenchmarkSortByPush is the yardstick for BenchmarkEvaluate: sorting the same images by push time,
// which is the least that any evaluation with a count takes. Copying them is a small part of it.
func BenchmarkSortByPush(b *testing.B) {
	for _, images := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("images=%d", images), func(b *testing.B) {
			ims := benchmarkImages(images)
			sorted := make([]evaluator.Image, len(ims))
			b.ReportAllocs()
			for b.Loop() {
				copy(sorted, ims)
				slices.SortFunc(sorted, func(x, y evaluator.Image) int { return x.PushedAt.Compare(y.PushedAt) })
			}
		})
	}
}
