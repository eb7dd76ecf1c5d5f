package awstest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// NoError ends the test if there is an error.
func NoError(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// ErrorIs checks that err is the target or wraps it.
func ErrorIs(tb testing.TB, what string, err, target error) {
	tb.Helper()
	if !errors.Is(err, target) {
		tb.Errorf("%s: got error %v, want %v", what, err, target)
	}
}

// ErrorContains checks that there is an error with each of the words in its text.
func ErrorContains(tb testing.TB, err error, words ...string) {
	tb.Helper()
	if err == nil {
		tb.Errorf("got no error, want one with %q", words)
		return
	}
	Contains(tb, err.Error(), words...)
}

// Equal checks that both values are the same and prints their difference.
func Equal(tb testing.TB, what string, want, got any, options ...cmp.Option) {
	tb.Helper()
	if diff := cmp.Diff(want, got, options...); diff != "" {
		tb.Errorf("%s mismatch (-want +got):\n%s", what, diff)
	}
}

// Empty ends the test if the list is not empty.
func Empty[Item any](tb testing.TB, what string, list []Item) {
	tb.Helper()
	if len(list) > 0 {
		tb.Fatalf("%s: %v, want none", what, list)
	}
}

// Contains checks that each of the words is in the text.
func Contains(tb testing.TB, text string, words ...string) {
	tb.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			tb.Errorf("%q is not in\n%s", word, text)
		}
	}
}
