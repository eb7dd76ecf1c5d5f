package images

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func TestAByteOrderMarkIsNamed(t *testing.T) {
	t.Parallel()
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if _, err := Parse([]byte(mark + `{"imageDetails": []}`)); err == nil || !strings.Contains(err.Error(), "save it as UTF-8") {
			t.Errorf("%q: %v", mark, err)
		}
	}
}

func TestTheSizeOfAnImageIsReadOrRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "null": 0, "150000000": 150000000, "1.5e8": 150000000, "1.5E+08": 150000000, "150000000.0": 150000000, "9223372036854775807": 9223372036854775807,
		"1.5": -1, "-1": -1, "1e-1": -1, "9223372036854775808": -1, "1e19": -1, "1e400": -1, `"150"`: -1, "true": -1, "[]": -1,
	} {
		file, err := Parse([]byte(`{"imageDetails": [{"imageDigest": "a", "imagePushedAt": 1, "imageSizeInBytes": ` + text + `}]}`))
		switch {
		case want < 0:
			if err == nil || !strings.HasPrefix(err.Error(), "imageDetails[0]: imageSizeInBytes ") {
				t.Errorf("%s: %v", text, err)
			}
		case err != nil || file.Details[0].SizeInBytes != want:
			t.Errorf("%s: %+v, %v", text, file, err)
		}
	}
}

// FuzzImages: each image of a file that is read can be evaluated, and once.
func FuzzImages(f *testing.F) {
	f.Add([]byte(`{"imageDetails": []}`))
	f.Add([]byte(`{"imageDetails": [{"imageDigest": "sha256:a", "imageTags": ["v1"], "imagePushedAt": "2026-01-01T00:00:00.123456+02:00", "imageStatus": "ARCHIVED"},
		{"imageDigest": "sha256:b", "imagePushedAt": 1767225599.999999, "lastRecordedPullTime": 1e9, "lastActivatedAt": -1.5}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
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

// What lies too deep in itself is an error and not the end of the process.
func TestAFileOfImagesMayNotBeTooDeep(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("[", 5_000_000), `{"imageDetails": ` + strings.Repeat(`{"a":`, 1_000_000)} {
		if _, err := Parse([]byte(text)); err == nil || len(err.Error()) > 1_000 {
			t.Errorf("%.30s…: %.300v", text, err)
		}
	}
}
