package fakeecr

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// An injector chooses the faults of calls.
type injector struct {
	mu         sync.Mutex
	faults     Faults
	calls      map[faultKey]int
	candidates []int // calls so far to which each rule applies
	events     []*FaultEvent
}

// An injection is the fault of one call; nil is no fault.
type injection struct {
	*FaultEvent
	code         string
	delay        time.Duration
	random       *rand.Rand
	named        []string // the digests in the request
	token, start string   // of a page: the token of the request and its key
	refused      bool     // whether the call refused an image already
}

func (injected *injection) kind() FaultKind {
	if injected == nil {
		return ""
	}
	return injected.Kind
}

// A mention has the members of a request that the rules use.
type mention struct {
	operation, repo string
	ImageIDs        []imageID `json:"imageIds"`
	ImageID         imageID   `json:"imageId"`
	RepositoryNames []string  `json:"repositoryNames"`
	NextToken       string    `json:"nextToken"`
}

func (m *mention) digests() []string {
	var digests []string
	for _, id := range append(m.ImageIDs, m.ImageID) {
		if id.ImageDigest != "" {
			digests = append(digests, id.ImageDigest)
		}
	}
	return digests
}

// lists reports whether the request lists a page.
func (m *mention) lists() bool {
	switch m.operation {
	case "DescribeImages", "DescribeRepositories":
		return len(m.ImageIDs)+len(m.RepositoryNames) == 0
	case "ListImageReferrers", "ListImages", "ListPullTimeUpdateExclusions":
		return true
	}
	return false
}

func (rule *FaultRule) appliesTo(m *mention) bool {
	if rule.Operation != "" && rule.Operation != m.operation || rule.Repository != "" && rule.Repository != m.repo {
		return false
	}
	switch rule.Kind { //nolint:exhaustive // the other kinds apply to every call
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

// draw returns the fault of a valid call, or nil.
func (in *injector) draw(operation, repo string, body []byte) *injection {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.faults.Rules) == 0 {
		return nil
	}
	m := mention{operation: operation, repo: repo}
	if err := json.Unmarshal(body, &m); err != nil {
		panic("fakeecr: " + err.Error()) // the operation has decoded it before
	}
	key := faultKey{operation, repo}
	in.calls[key]++
	random := in.faults.chance(key, in.calls[key])
	chosen := -1
	for i := range in.faults.Rules {
		if in.hits(i, &m, random) && chosen < 0 {
			chosen = i
		}
	}
	if chosen < 0 {
		return nil
	}
	rule := in.faults.Rules[chosen]
	event := &FaultEvent{Kind: rule.Kind, Operation: operation, Repository: repo, Call: in.calls[key]}
	in.events = append(in.events, event)
	return &injection{FaultEvent: event, code: rule.Code, delay: in.faults.Delay, random: random, named: m.digests(), token: m.NextToken}
}

// hits counts the call if the rule applies to it, and reports whether the rule chooses it.
func (in *injector) hits(i int, m *mention, random *rand.Rand) bool {
	rule := &in.faults.Rules[i]
	if !rule.appliesTo(m) {
		return false
	}
	in.candidates[i]++
	if rule.Nth > 0 {
		return in.candidates[i] == rule.Nth
	}
	return random.Float64() < rule.Probability
}

// chance returns the random numbers for a call.
func (f *Faults) chance(key faultKey, call int) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d", key.operation, key.repo, call) // a hash takes everything
	return rand.New(rand.NewPCG(f.Seed, h.Sum64()))                  //nolint:gosec // chance, not secrets
}
