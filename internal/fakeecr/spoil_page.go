package fakeecr

import (
	"slices"
	"strconv"
)

// tokenMark stands before what tells two tokens apart that lead to the same
// page. It is in no digest, tag or name.
const tokenMark = "\x01"

// startAt notes after which key the requested page begins.
func (hit *strike) startAt(key string) {
	if hit != nil {
		hit.start = key
	}
}

// spoil returns what the fault makes of a page and its token.
func (l listing[T]) spoil(s *Server, page []T, next *string) ([]T, *string) {
	hit := s.strike
	after := func(key string) *string {
		token := s.token(l.scope, key+tokenMark+strconv.Itoa(hit.Call))
		return &token
	}
	switch hit.kind() { //nolint:exhaustive // the other kinds strike elsewhere
	case EmptyPage:
		return page[:0], after(hit.start)
	case RepeatedPage:
		return page, after(hit.start)
	case RepeatedToken:
		return page, &hit.token
	case ShortPage:
		if half := len(page) / 2; half > 0 {
			return page[:half], after(l.key(page[half-1]))
		}
	case OverlappingPage:
		if len(page) > 1 {
			return page, after(l.key(page[hit.random.IntN(len(page)-1)]))
		}
	}
	return page, next
}

// refuses returns the code with which an image is refused, or "": the first
// one, and each other by chance.
func (hit *strike) refuses() string {
	if hit.kind() != RefusedImages || hit.refused && hit.random.IntN(2) == 0 {
		return ""
	}
	hit.refused = true
	if hit.code != "" {
		return hit.code
	}
	return ImageFailureCodes[hit.random.IntN(len(ImageFailureCodes))]
}

// vanish removes one of the images that the request names, if any is there.
func (s *Server) vanish(hit *strike, repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositories[repo]
	if r == nil {
		return
	}
	there := slices.DeleteFunc(hit.named, func(digest string) bool { return r.images[digest] == nil })
	if len(there) == 0 {
		return
	}
	gone := there[hit.random.IntN(len(there))]
	r.remove(r.images[gone])
	s.injector.mu.Lock()
	defer s.injector.mu.Unlock()
	hit.Vanished = gone
}
