package words_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

func TestFew(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":              "",
		"a":             "a",
		"a b c d e":     "a b c d e",
		"a b c d e f":   "a b c d e and 1 more",
		"a b c d e f g": "a b c d e and 2 more",
	} {
		texts := strings.Fields(given)
		if got := strings.Join(words.Few(texts), " "); got != want {
			t.Errorf("Few(%q) = %q, want %q", given, got, want)
		}
		if !slices.Equal(texts, strings.Fields(given)) {
			t.Errorf("Few changes its argument %q to %q", given, texts)
		}
	}
}

func TestAnd(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"},
	} {
		if got := words.And(texts); got != want {
			t.Errorf("And(%q) = %q, want %q", texts, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 images", 1: "1 image", 2: "2 images", 1_000: "1000 images"} {
		if got := words.Count(n, "image", "images"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}
