package main

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// FuzzImages: each image of a file that is read can be evaluated, and once.
func FuzzImages(f *testing.F) {
	f.Add([]byte(`{"imageDetails": []}`))
	f.Add([]byte(`{"imageDetails": [{"imageDigest": "sha256:a", "imageTags": ["v1"], "imagePushedAt": "2026-01-01T00:00:00.123456+02:00", "imageStatus": "ARCHIVED"},
		{"imageDigest": "sha256:b", "imagePushedAt": 1767225599.999999, "lastRecordedPullTime": 1e9, "lastActivatedAt": -1.5}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := parseImages(text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i := range file.Details {
			im := &file.Details[i]
			if im.Digest == "" || seen[im.Digest] || im.PushedAt.IsZero() || im.StorageClass() == "" && im.Status != evaluator.Activating {
				t.Errorf("image %+v", im)
			}
			seen[im.Digest] = true
		}
	})
}
