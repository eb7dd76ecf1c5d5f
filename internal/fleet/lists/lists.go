// Package lists has the lists of images in use of an execution of the fleet. [Write] writes
// those of one place, and [Source] reads those of one registry.
package lists

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// Write writes a list for each registry whose images the uses name, and then the outcome
// object of the place. U has the place, and the problem of the scan if it failed; its lists
// protect even so.
func Write(ctx context.Context, s fleet.Store, u fleet.Used, uses []inuse.Use) error {
	byRegistry, elsewhere, findings := fleet.Split(uses)
	const maxFindings, maxFinding = 20, 500
	u.Elsewhere, u.Registries = elsewhere, []config.Place{}
	for _, f := range findings[:min(len(findings), maxFindings)] {
		u.Findings = append(u.Findings, fleet.Shorten(f, maxFinding))
	}
	for registry, uses := range byRegistry {
		var text bytes.Buffer
		err := list.Write(&text, u.Account, u.Region, u.At, uses)
		if err == nil {
			err = s.Put(ctx, fleet.ListName(u.Execution, u.Cycle, registry, u.Place), text.Bytes())
		}
		if err != nil {
			return fmt.Errorf("write the list of %s for the registry %s: %w", u.Place, registry, err)
		}
		u.Registries = append(u.Registries, registry)
	}
	slices.SortFunc(u.Registries, func(a, b config.Place) int { return cmp.Compare(a.String(), b.String()) })
	return fleet.WriteUsed(ctx, s, u)
}

// A Source is the in-use source [config.FleetSource] of a registry: what all places of the
// execution use. A place without a list that counts is a failure of its account. Everything
// else that cannot be read fails the whole source.
type Source struct {
	Store     fleet.Store
	Execution string
	Cycle     int
	Registry  config.Place
	Barrier   fleet.Barrier // of the cycle
	Now       time.Time
	MaxAge    time.Duration
}

// Name implements [inuse.Source].
func (Source) Name() string { return config.FleetSource }

// Listed implements [inuse.Lister].
func (s Source) Listed() (accounts []string, organization string) {
	return s.Barrier.Accounts, s.Barrier.Organization
}

// Since returns when the oldest scan began. Images that were pulled since may be in use.
func (s Source) Since() time.Time { return s.Barrier.Oldest }

// MaxUses implements [inuse.Repetitive].
func (Source) MaxUses() int { return list.Source{}.MaxUses() }

const advice = "start a new execution"

const maxOpen = 16 // lists that are read at the same time

// Uses implements [inuse.Source].
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		failed, mu := inuse.AccountsError{}, sync.Mutex{}
		fail := func(p config.Place, problem string) {
			mu.Lock()
			defer mu.Unlock()
			failed[p.Account] = errors.Join(failed[p.Account], errors.New(p.String()+": "+problem))
		}
		for _, f := range s.Barrier.Failed {
			fail(f.Place, f.Problem)
		}
		users, err := s.users(ctx)
		if err != nil {
			yield(inuse.Use{}, err)
			return
		}
		for _, user := range s.Barrier.Users[s.Registry.String()] {
			if !slices.Contains(users, user) {
				fail(user, "its list for this registry is missing; "+advice)
			}
		}
		for use, err := range query.Merge(ctx, maxOpen, users, func(ctx context.Context, user config.Place) iter.Seq2[inuse.Use, error] {
			return s.list(ctx, user, fail)
		}) {
			if !yield(use, err) || err != nil {
				return
			}
		}
		if !s.elsewhere(yield) {
			return
		}
		if len(failed) > 0 {
			yield(inuse.Use{}, failed)
		}
	}
}

// list yields the uses in the list of a place. It calls fail if the list cannot be read, has no
// use, names another registry, or is older than the oldest scan. [Write] writes none of these.
func (s Source) list(ctx context.Context, user config.Place, fail func(config.Place, string)) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		maxAge := max(s.Now.Sub(s.Barrier.Oldest.Truncate(time.Second)), time.Second)
		name := fleet.ListName(s.Execution, s.Cycle, s.Registry, user)
		problem, empty := "its list for this registry is empty; "+advice, true
		for use, err := range list.New(name, s.Store.Open, s.Now, maxAge).Of(user.String(), advice).Uses(ctx) {
			if err != nil {
				fail(user, err.Error())
				return
			}
			if empty {
				problem, empty = "", false
			}
			if use.Reference.RegistryID != s.Registry.Account || use.Reference.Region != s.Registry.Region {
				problem = fmt.Sprintf("its list for this registry names %s; %s", use.Reference, advice)
			}
			if use.Account = user.Account; !yield(use, nil) {
				return
			}
		}
		if problem != "" {
			fail(user, problem)
		}
	}
}

// users returns the places whose lists of the registry there are. It fails if the lists are too
// old, or if there is anything else among them.
func (s Source) users(ctx context.Context) ([]config.Place, error) {
	switch age := s.Now.Sub(s.Barrier.Oldest); {
	case age > s.MaxAge:
		return nil, fmt.Errorf("the lists of execution %s are more than %s old; %s, or raise fleet.listsMaxAgeMinutes", s.Execution, s.MaxAge, advice)
	case age < -time.Hour:
		return nil, fmt.Errorf("the lists of execution %s are from the future; %s", s.Execution, advice)
	}
	names, err := s.Store.List(ctx, fleet.ListsOf(s.Execution, s.Cycle, s.Registry))
	if err != nil {
		return nil, err
	}
	users := make([]config.Place, len(names))
	for i, name := range names {
		var ok bool
		if users[i], ok = s.userOf(name); !ok {
			return nil, fmt.Errorf("%s is no list of an account and Region; delete it, and %s", s.Store.Location(name), advice)
		}
	}
	return users, nil
}

// userOf returns the place whose list has the name.
func (s Source) userOf(name string) (config.Place, bool) {
	account, region, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(name, fleet.ListsOf(s.Execution, s.Cycle, s.Registry)), ".json"), "/")
	user := config.Place{Account: account, Region: region}
	return user, config.IsPlace(user.String()) && fleet.ListName(s.Execution, s.Cycle, s.Registry, user) == name
}

// elsewhere yields the uses that name no ECR registry. It returns false if yield did.
func (s Source) elsewhere(yield func(inuse.Use, error) bool) bool {
	for _, u := range s.Barrier.Elsewhere {
		ref, err := reference.ParseAny(u.Image)
		if strings.HasPrefix(u.Image, "sha256:") || strings.HasPrefix(u.Image, "@sha256:") {
			ref, err = reference.Reference{Digest: strings.TrimPrefix(u.Image, "@")}, nil
		}
		if err != nil {
			yield(inuse.Use{}, fmt.Errorf("%s uses %q, which cannot be read: %w", u.By, u.Image, err))
			return false
		}
		if !yield(inuse.Use{Reference: ref, By: u.By, Account: u.Account, AllImages: u.AllImages}, nil) {
			return false
		}
	}
	return true
}
