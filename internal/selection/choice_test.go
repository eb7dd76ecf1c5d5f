package selection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
)

func TestNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		names          string
		tagOnly, again bool
		want           string
	}{
		{"v1", false, false, "[{0 named by a person as v1 []}]"},
		{"v1 v2 aaaa v3", false, false, "[{0 named by a person as sha256:aaaa []} {1 named by a person as v3 []}]"},
		{"gone v3", false, true, "[{1 named by a person as v3 []}]"},
		{"gone v3", false, false, "repository app has no image with the digest or tag gone; its newest tags are v3, v1, v2"},
		{"twice", false, false, "repository app: the tag twice is on 2 of the listed images, because it moved while they were listed; run again, or name the image by its digest"},
		{"v1 v1", true, false, "[{0 named by a person as v1 [v1]}]"},
		{"v1 v2", true, false, "v1, v2 are all tags of sha256:aaaa, and without a tag ECR would delete the image"},
		{"v1 v2 twice2", true, true, "[{2 named by a person as twice2 [twice2]}]"},
		{"v3", true, false, "v3 is the only tag of sha256:bbbb, and without a tag ECR would delete the image"},
		{"aaaa", true, false, "sha256:aaaa is no tag; name the tags to remove"},
	} {
		l := selection.Listing{Repository: "app", Images: []evaluator.Image{
			{Digest: "sha256:aaaa", Tags: []string{"v1", "v2"}},
			{Digest: "sha256:bbbb", Tags: []string{"v3"}, PushedAt: 1},
			{Digest: "sha256:cccc", Tags: []string{"twice", "twice2"}},
			{Digest: "sha256:dddd", Tags: []string{"twice"}},
		}}
		names := strings.Fields(test.names)
		chosen, err := selection.Named(slices.Clone(names), test.tagOnly).Choose(&l, now, test.again)
		got := fmt.Sprint(chosen)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s, tags only %t, again %t: %s, want %s", test.names, test.tagOnly, test.again, got, test.want)
		}
	}
}
