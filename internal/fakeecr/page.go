package fakeecr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"iter"
	"strings"
)

// The sizes of pages.
const (
	defaultPage          = 100
	maxPage              = 1000
	defaultReferrersPage = 20
	maxReferrersPage     = 50
)

// A paging is the part of a request that asks for one page of a listing.
type paging struct {
	MaxResults *int32  `json:"maxResults"`
	NextToken  *string `json:"nextToken"`
}

func (p *paging) check(limit int32) error {
	if p.MaxResults == nil {
		return nil
	}
	return checkValue("maxResults", *p.MaxResults, 1, limit)
}

// checkAbsent checks that no page is asked for beside the named list.
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

// A listing cuts pages out of ordered items.
type listing[T any] struct {
	// scope is everything in the request that shapes the listing, but for
	// the page.
	scope string
	size  int
	// key returns what [Server.start] will return for the page after item.
	key func(item T) string
}

// page returns the first items, and the token of the next page unless there
// are no more; or what a fault makes of them.
func (l listing[T]) page(s *Server, items iter.Seq[T]) (page []T, next *string) {
	page, next = l.first(s, items)
	return l.spoil(s, page, next)
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

// sealLength is the length of the part of a token that ties it to its listing.
const sealLength = 12

// token returns the token of the page after key, good for the same scope only.
func (s *Server) token(scope, key string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.seal(scope, key), key...))
}

// start returns the key after which the requested page begins, "" for the
// first page.
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
	s.strike.startAt(key)
	return key, nil
}

var errToken = invalid("nextToken", "Member must be a token of the same listing")

func (s *Server) seal(scope, key string) []byte {
	h := hmac.New(sha256.New, s.tokenKey)
	h.Write([]byte(scope + "\x00" + key))
	return h.Sum(nil)[:sealLength]
}

// scopeOf joins what shapes a listing.
func scopeOf(parts ...string) string { return strings.Join(parts, "\x00") }
