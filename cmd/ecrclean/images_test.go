package main

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func TestAByteOrderMarkIsNamed(t *testing.T) {
	t.Parallel()
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if _, err := parseImages([]byte(mark + `{"imageDetails": []}`)); err == nil || !strings.Contains(err.Error(), "save it as UTF-8") {
			t.Errorf("%q: %v", mark, err)
		}
	}
}

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
