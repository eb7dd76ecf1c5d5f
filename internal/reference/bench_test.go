package reference_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

func BenchmarkParseAny(b *testing.B) {
	for name, text := range map[string]string{
		"tag": host + "/team/app:v1.2.3", "digest": host + "/team/app@" + digest, "proxy": "proxy.example.com/team/app:v1.2.3",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := reference.ParseAny(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
