package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func BenchmarkParse(b *testing.B) {
	for _, rules := range []int{1, 5, 50} {
		selections := make([]string, rules)
		for i := range selections {
			selections[i] = fmt.Sprintf(`{"tagStatus":"tagged","tagPatternList":["v%d-*","*-release-%d"],`+
				`"countType":"sinceImagePushed","countUnit":"days","countNumber":30}`, i, i)
		}
		text := policy(selections...)
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, ps := lifecycle.ParseText(text); len(ps) > 0 {
					b.Fatal(ps)
				}
			}
		})
	}
}

func BenchmarkTagPatternMatch(b *testing.B) {
	tags := []string{
		"release-2026.03.01-amd64-build.1234",
		"feature-branch-with-a-longer-name-0123456789abcdef",
		strings.Repeat("a", 128),
	}
	for _, text := range []string{"latest", "release-*", "*-build.*", "*2026*-*64*", "a*aa*aa*aa*b"} {
		p := pattern(b, text)
		b.Run("pattern="+text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, tag := range tags {
					p.Match(tag)
				}
			}
		})
	}
}
