package fakeecr

import (
	"slices"
	"strconv"
)

// tokenMark separates the key of a page from a number that makes its token unique. It is
// in no digest, tag or name.
const tokenMark = "\x01"

// noteStart notes the key before the requested page.
func (injected *injection) noteStart(key string) {
	if injected != nil {
		injected.start = key
	}
}

// corrupt returns the page and its token with the fault applied.
func (l listing[T]) corrupt(s *Server, page []T, next *string) ([]T, *string) {
	injected := s.injection
	after := func(key string) *string {
		token := s.token(l.scope, key+tokenMark+strconv.Itoa(injected.Call))
		return &token
	}
	switch injected.kind() { //nolint:exhaustive // the other kinds are applied elsewhere
	case EmptyPage:
		return page[:0], after(injected.start)
	case RepeatedPage:
		return page, after(injected.start)
	case RepeatedToken:
		return page, &injected.token
	case ShortPage:
		if half := len(page) / 2; half > 0 {
			return page[:half], after(l.key(page[half-1]))
		}
	case OverlappingPage:
		if len(page) > 1 {
			return page, after(l.key(page[injected.random.IntN(len(page)-1)]))
		}
	}
	return page, next
}

// refuses returns the failure code of an image, or "". It refuses the first image, and
// each other image at random.
func (injected *injection) refuses() string {
	if injected.kind() != RefusedImages || injected.refused && injected.random.IntN(2) == 0 {
		return ""
	}
	injected.refused = true
	if injected.code != "" {
		return injected.code
	}
	return ImageFailureCodes[injected.random.IntN(len(ImageFailureCodes))]
}

// vanish removes one image that the request names, if the repository has one.
func (s *Server) vanish(injected *injection, repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositories[repo]
	if r == nil {
		return
	}
	there := slices.DeleteFunc(injected.named, func(digest string) bool { return r.images[digest] == nil })
	if len(there) == 0 {
		return
	}
	gone := there[injected.random.IntN(len(there))]
	r.remove(r.images[gone])
	s.injector.mu.Lock()
	defer s.injector.mu.Unlock()
	injected.Vanished = gone
}
