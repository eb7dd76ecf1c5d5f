package list

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Prefix has a list for each place, which is an account and Region. The list of
// 222222222222/eu-west-1 is the object 222222222222/eu-west-1 or 222222222222/eu-west-1.json,
// or objects in a folder of that name. If there are several, all of them count. By the
// policy of the bucket, only the account in a key can have written the list.
type Prefix struct {
	Location string   // ends with a slash
	Expected []string // the places that have a source of their own
	Own      []string // the places whose lists only that source reads

	List    func(ctx context.Context, location string) ([]awsclient.Object, error)
	Open    Open
	Now     time.Time
	MaxAge  time.Duration     // 0 is [MaxAge]
	Aliases reference.Aliases // as in [Source]
}

const maxOpen = 4 // lists of a prefix at the same time, with some megabytes each

// Sources returns the sources of one scan. That of the prefix is the first, with its name.
// It reads the other lists, which add protection, and fails if the prefix cannot be listed
// or has an object that is no list. What is wrong below an account's own name is only a
// failure of that account. The sources of expected places follow. Each fails if its place
// has no list, or one that is of another place, too old or unreadable. The lists of a place
// must be documents, as [Write] writes them. Sources list the prefix once, together.
func (p Prefix) Sources() []inuse.Source {
	b := &below{Prefix: p, turns: make(chan struct{}, maxOpen)}
	sources := []inuse.Source{others{b}}
	for _, place := range p.Expected {
		sources = append(sources, expected{b, place})
	}
	return sources
}

// below is shared by the sources of a prefix.
type below struct {
	Prefix
	turns chan struct{}

	once     sync.Once
	err      error               // of the listing
	lists    map[string][]string // the locations of the lists, by place
	misnamed map[string][]string // the names of objects that are no list, by account or ""
}

// list lists the prefix once.
func (b *below) list(ctx context.Context) error {
	b.once.Do(func() {
		b.err = errors.New("the listing did not end") // unless it does
		var objects []awsclient.Object
		if objects, b.err = b.List(ctx, b.Location); b.err == nil {
			b.sort(objects)
		}
	})
	return b.err
}

func (b *below) sort(objects []awsclient.Object) {
	b.lists, b.misnamed = map[string][]string{}, map[string][]string{}
	_, prefix, _ := strings.Cut(strings.TrimPrefix(b.Location, "s3://"), "/")
	for _, object := range objects {
		name := strings.TrimPrefix(object.Key, prefix)
		place, account := placeOf(name)
		switch {
		case object.Size == 0 && (name == "" || strings.HasSuffix(name, "/")): // a folder
		case place == "":
			b.misnamed[account] = append(b.misnamed[account], fmt.Sprintf("%.300q", b.Location+name))
		default:
			b.lists[place] = append(b.lists[place], b.Location+name)
		}
	}
}

// placeOf returns the place of a list with the name below the prefix, or "" if the name is
// not that of a list. The account is the one that may write it, or "" if that is none.
func placeOf(name string) (place, account string) {
	account, rest, isBelow := strings.Cut(name, "/")
	region, _, isFolder := strings.Cut(rest, "/")
	if !isFolder {
		region = strings.TrimSuffix(region, ".json")
	}
	place, account = account+"/"+region, accountIn(account)
	if !isBelow {
		return "", ""
	}
	if !fs.ValidPath(name) || !config.IsPlace(place) { // no .. and no empty element
		place = ""
	}
	return place, account
}

// accountIn returns the text if it is the ID of an account, and otherwise "".
func accountIn(text string) string {
	if len(text) != 12 || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return text
}

// read yields the uses in all lists of the place, each with its account, and then the errors.
func (b *below) read(ctx context.Context, place string) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		select {
		case b.turns <- struct{}{}:
			defer func() { <-b.turns }()
		case <-ctx.Done():
			yield(inuse.Use{}, ctx.Err())
			return
		}
		var failed []string
		for _, location := range b.lists[place] {
			source := Source{
				location: location, open: b.Open, now: b.Now, maxAge: b.MaxAge, place: place, Aliases: b.Aliases, unused: "delete it",
			}
			for use, err := range source.Uses(ctx) {
				if err != nil {
					failed = append(failed, location+": "+err.Error())
					break
				}
				use.Account = place[:12]
				if !yield(use, nil) {
					return
				}
			}
		}
		if len(failed) > 0 {
			yield(inuse.Use{}, errors.New(strings.Join(words.Few(failed), "; ")))
		}
	}
}

// others is the source of the prefix itself.
type others struct{ *below }

func (o others) Name() string { return o.Location }

// MaxUses implements [inuse.Repetitive].
func (others) MaxUses() int { return maxUses }

func (o others) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		if err := o.list(ctx); err != nil {
			yield(inuse.Use{}, err)
			return
		}
		failed := failures{AccountsError: inuse.AccountsError{}}
		for account, names := range o.misnamed {
			failed.add(account, fmt.Errorf("%s: not a list of an account and Region; delete it, or name it like %s222222222222/eu-west-1.json",
				strings.Join(words.Few(names), ", "), o.Location))
		}
		places := slices.DeleteFunc(slices.Sorted(maps.Keys(o.lists)), func(place string) bool { return slices.Contains(o.Own, place) })
		read := func(ctx context.Context, place string) iter.Seq2[inuse.Use, error] {
			return func(yield func(inuse.Use, error) bool) {
				for use, err := range o.read(ctx, place) {
					if err != nil {
						failed.add(place[:12], err)
						return
					}
					if !yield(use, nil) {
						return
					}
				}
			}
		}
		for use, err := range query.Merge(ctx, maxOpen, places, read) {
			if err != nil {
				failed.add("", err)
				break
			}
			if !yield(use, nil) {
				return
			}
		}
		if len(failed.AccountsError) > 0 {
			yield(inuse.Use{}, failed.AccountsError)
		}
	}
}

// failures gathers errors by account. It is safe for concurrent use.
type failures struct {
	inuse.AccountsError
	mu sync.Mutex
}

func (f *failures) add(account string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before := f.AccountsError[account]; before != nil {
		err = fmt.Errorf("%w; %w", before, err)
	}
	f.AccountsError[account] = err
}

// expected is the source of a place whose list must be there.
type expected struct {
	*below
	place string
}

func (e expected) Name() string { return e.Location + e.place }

// Account implements [inuse.AccountSource].
func (e expected) Account() string { return e.place[:12] }

// MaxUses implements [inuse.Repetitive].
func (expected) MaxUses() int { return maxUses }

func (e expected) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		err := e.list(ctx)
		switch {
		case err != nil:
			err = fmt.Errorf("it was not read, because %s was not listed", e.Location)
		case len(e.lists[e.place]) == 0:
			err = fmt.Errorf("there is no list; in account %s, run the function in mode references, or ecrclean references --region %s --out %s; "+
				"or take %q out of protect.expect", e.Account(), e.place[13:], e.Location, e.place)
		default:
			e.read(ctx, e.place)(yield)
			return
		}
		yield(inuse.Use{}, err)
	}
}
