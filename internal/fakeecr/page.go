package fakeecr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"iter"
	"strings"
)

// The numbers of items in a page.
const (
	defaultPage          = 100
	maxPage              = 1000
	defaultReferrersPage = 20
	maxReferrersPage     = 50
)

// A paging has the members of a request for one page of a listing.
type paging struct {
	MaxResults *int32  `json:"maxResults"`
	NextToken  *string `json:"nextToken"`
}

func (p *paging) check(limit int) error {
	if p.MaxResults == nil {
		return nil
	}
	return checkRange("maxResults", "value", int(*p.MaxResults), 1, limit)
}

// checkAbsent refuses a page in a request that has the list.
func (p *paging) checkAbsent(list string) error {
	if p.MaxResults != nil {
		return invalid("maxResults", "Member must be null when "+list+" is given")
	}
	if p.NextToken != nil {
		return invalid("nextToken", "Member must be null when "+list+" is given")
	}
	return nil
}

func (p *paging) size(unsaid int) int {
	if p.MaxResults == nil {
		return unsaid
	}
	return int(*p.MaxResults)
}

// A listing makes pages of ordered items.
type listing[T any] struct {
	scope string // the operation and all members that determine the items
	size  int
	// key returns the text from which [Server.start] finds the page after the item.
	key func(item T) string
}

// page returns the requested page and the token of the next page, or nil after the last
// page. It applies the fault of the call. items yields the items after that key.
func (l listing[T]) page(s *Server, in *paging, items func(after string) iter.Seq[T]) (page []T, next *string, err error) {
	after, err := s.start(l.scope, in)
	if err != nil {
		return nil, nil, err
	}
	page, next = l.first(s, items(after))
	page, next = l.corrupt(s, page, next)
	return page, next, nil
}

func (l listing[T]) first(s *Server, items iter.Seq[T]) (page []T, next *string) {
	page = make([]T, 0, l.size)
	for item := range items {
		if len(page) == l.size {
			token := s.token(l.scope, l.key(page[l.size-1]))
			return page, &token
		}
		page = append(page, item)
	}
	return page, nil
}

// sealLength is the length of the part of a token that proves its listing.
const sealLength = 12

// token returns the token of the page after key. It is valid for the scope only.
func (s *Server) token(scope, key string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.seal(scope, key), key...))
}

// start returns the key of the last item before the requested page, or "" for the first
// page.
func (s *Server) start(scope string, p *paging) (string, error) {
	if p.NextToken == nil {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*p.NextToken)
	if err != nil || len(text) < sealLength {
		return "", errToken
	}
	key := string(text[sealLength:])
	if !hmac.Equal(text[:sealLength], s.seal(scope, key)) {
		return "", errToken
	}
	key, _, _ = strings.Cut(key, tokenMark)
	s.injection.noteStart(key)
	return key, nil
}

var errToken = invalid("nextToken", "Member must be a token of the same listing")

func (s *Server) seal(scope, key string) []byte {
	h := hmac.New(sha256.New, s.tokenKey)
	h.Write([]byte(scope + "\x00" + key))
	return h.Sum(nil)[:sealLength]
}

func scopeOf(parts ...string) string { return strings.Join(parts, "\x00") }
