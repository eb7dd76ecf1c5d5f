package scenario_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A source is a fake in-use source.
type source struct {
	name string

	mu    sync.Mutex
	uses  []inuse.Use
	err   error
	asked int
}

func (s *source) Name() string { return s.name }

func (s *source) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	uses, err := slices.Clone(s.uses), s.err
	return func(yield func(inuse.Use, error) bool) {
		for _, use := range uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(inuse.Use{}, err)
		}
	}
}

// answer sets the uses: one on each line, "BY REFERENCE". A reference without a host is
// to the registry of the fixture, and @NAME is the digest of an image.
func (s *source) answer(tb testing.TB, text string) {
	tb.Helper()
	var uses []inuse.Use
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		ref, err := reference.Parse(spell(words[1]))
		if err != nil {
			tb.Fatal(err)
		}
		uses = append(uses, inuse.Use{Reference: ref, By: words[0], Source: s.name})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses = uses
}

// spell completes a reference.
func spell(text string) string {
	image, name, digest := strings.Cut(text, "@")
	if !strings.Contains(image, ".") {
		image = host + "/" + image
	}
	if !digest {
		return image
	}
	return image + "@" + digestOf(name)
}
