package fakeecr

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// An injector decides which calls faults strike.
type injector struct {
	mu        sync.Mutex
	faults    Faults
	calls     map[faultKey]int
	concerned []int // calls so far, by rule
	events    []*FaultEvent
}

// A strike is a fault that strikes a call. A nil strike is none.
type strike struct {
	*FaultEvent
	code   string
	delay  time.Duration
	random *rand.Rand
	named  []string // digests, by the request
	// Of a page: the token that was asked with and the key that it holds.
	token, start string
	refused      bool // whether an image was
}

func (hit *strike) kind() FaultKind {
	if hit == nil {
		return ""
	}
	return hit.Kind
}

// A mention is what faults need to know of a request.
type mention struct {
	operation, repo string
	ImageIDs        []imageID `json:"imageIds"`
	ImageID         imageID   `json:"imageId"`
	RepositoryNames []string  `json:"repositoryNames"`
	NextToken       string    `json:"nextToken"`
}

// digests returns those that the request names.
func (m *mention) digests() []string {
	var digests []string
	for _, id := range append(m.ImageIDs, m.ImageID) {
		if id.ImageDigest != "" {
			digests = append(digests, id.ImageDigest)
		}
	}
	return digests
}

// lists reports whether the request is for a page of a listing.
func (m *mention) lists() bool {
	switch m.operation {
	case "DescribeImages", "DescribeRepositories":
		return len(m.ImageIDs)+len(m.RepositoryNames) == 0
	case "ListImageReferrers", "ListImages", "ListPullTimeUpdateExclusions":
		return true
	}
	return false
}

func (rule *FaultRule) concerns(m *mention) bool {
	if rule.Operation != "" && rule.Operation != m.operation || rule.Repository != "" && rule.Repository != m.repo {
		return false
	}
	switch rule.Kind { //nolint:exhaustive // the other kinds strike elsewhere
	case ShortPage, EmptyPage, RepeatedPage, OverlappingPage:
		return m.lists()
	case RepeatedToken, ExpiredToken:
		return m.NextToken != ""
	case RefusedImages:
		return m.operation == "BatchDeleteImage"
	case VanishedImage:
		return len(m.digests()) > 0
	}
	return true
}

// draw returns what strikes the call with that body, which is a good one.
func (in *injector) draw(operation, repo string, body []byte) *strike {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.faults.Rules) == 0 {
		return nil
	}
	m := mention{operation: operation, repo: repo}
	if err := json.Unmarshal(body, &m); err != nil {
		panic("fakeecr: " + err.Error()) // it was decoded before, into the operation's own type
	}
	key := faultKey{operation, repo}
	in.calls[key]++
	random := in.faults.chance(key, in.calls[key])
	struck := -1
	for i := range in.faults.Rules {
		if in.strikes(i, &m, random) && struck < 0 {
			struck = i
		}
	}
	if struck < 0 {
		return nil
	}
	rule := in.faults.Rules[struck]
	event := &FaultEvent{Kind: rule.Kind, Operation: operation, Repository: repo, Call: in.calls[key]}
	in.events = append(in.events, event)
	return &strike{FaultEvent: event, code: rule.Code, delay: in.faults.Delay, random: random, named: m.digests(), token: m.NextToken}
}

// strikes counts the call if the rule concerns it, and reports whether it is to
// be struck.
func (in *injector) strikes(i int, m *mention, random *rand.Rand) bool {
	rule := &in.faults.Rules[i]
	if !rule.concerns(m) {
		return false
	}
	in.concerned[i]++
	if rule.Nth > 0 {
		return in.concerned[i] == rule.Nth
	}
	return random.Float64() < rule.Probability
}

// chance returns the randomness of the call of that number.
func (f *Faults) chance(key faultKey, call int) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d", key.operation, key.repo, call) // a hash takes everything
	return rand.New(rand.NewPCG(f.Seed, h.Sum64()))                  //nolint:gosec // chance, not secrets
}
