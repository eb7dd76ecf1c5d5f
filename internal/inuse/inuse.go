// Package inuse finds images in use. It takes sources, each of which queries one service
// or reads one list of references. It returns a [Scan]: the images in use, their users,
// and the sources that failed. A source that failed may use any image.
package inuse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A Use is one image that something uses.
type Use struct {
	// Reference is the image with its digest or, without a digest, the image that has its
	// tag now. A digest alone is the image in any repository. A reference without a
	// RegistryID has another host, which may be a proxy for any registry.
	Reference reference.Reference
	// By is the ARN of the user, such as a task. For an entry of a list it is the text in
	// the entry, or else the name of the list and the line.
	By     string
	Source string // its name; Scope.Run sets it
	// Account is the account of the user: 12 digits, or empty if it is not known or that of
	// the registry. Scope.Run sets it for a source in an [AccountSource].
	Account string
	// Revision is 0, unless the only use is by one of the newest revisions of a task
	// definition family: 1 is the newest revision.
	Revision int
	// Runs is true when a running container, or the current revision of a service, uses
	// the image by its tag. The digest of Reference is then the recorded one, or empty.
	Runs    bool
	Problem string // why the image is not known, and Reference zero; otherwise empty
	// AllImages is true when any image of the repository of Reference may be used. The tag
	// and the digest of Reference then do not count.
	AllImages bool
	// Family is the task definition family whose newest revision uses the image, if no
	// service, task, rule, schedule, pipe or state machine names the family. Otherwise it
	// is empty. LastActivity is the newest time at which a revision of the family was
	// registered, or an image of it was pushed or pulled. It is zero if that is unknown.
	Family       string
	LastActivity time.Time
	// Finding is a finding about the source. A Use with a Finding uses no image.
	Finding finding.Finding
}

func (u Use) compare(other Use) int {
	return cmp.Or(u.Reference.Compare(other.Reference), cmp.Compare(u.By, other.By),
		cmp.Compare(u.Source, other.Source), cmp.Compare(u.Account, other.Account), cmp.Compare(u.Revision, other.Revision),
		cmp.Compare(u.Problem, other.Problem), compareBool(u.Runs, other.Runs), compareBool(u.AllImages, other.AllImages),
		cmp.Compare(u.Family, other.Family), u.LastActivity.Compare(other.LastActivity),
		cmp.Compare(u.Finding.Kind, other.Finding.Kind), cmp.Compare(u.Finding.Message, other.Finding.Message))
}

func compareBool(a, b bool) int {
	return cmp.Compare(strconv.FormatBool(a), strconv.FormatBool(b))
}

// A Source finds the uses of one service or one list. It is safe for concurrent use.
type Source interface {
	// Name is the entry of protect.inUse or of protect.references.
	Name() string
	// Uses yields the uses in any order, perhaps repeated. The first error ends the
	// sequence. A sequence without an error is complete.
	Uses(ctx context.Context) iter.Seq2[Use, error]
}

// An AccountSource queries, or is a list of, one account that is perhaps not the registry's.
// If it fails, only images that this account may use are perhaps in use.
type AccountSource interface {
	Account() string // 12 digits, or "" if it is the registry's
}

// A Lister is a source that knows which accounts have a list of the images in use there.
type Lister interface {
	// Listed returns these accounts, and the id of the organization of which all accounts have
	// a list, or "". It is called after Uses.
	Listed() (accounts []string, organization string)
}

// AccountsError is the error of a source that fails for some accounts: the error for each
// account, or for all at the key "". A scan has a [Failure] for each.
type AccountsError map[string]error

func (e AccountsError) Error() string {
	texts := make([]string, 0, len(e))
	for _, account := range slices.Sorted(maps.Keys(e)) {
		texts = append(texts, e[account].Error())
	}
	return strings.Join(texts, "; ")
}

// A Repetitive source may name an image very often. A scan keeps MaxUses uses of it by each
// account, as many with AllImages, and all with a Family or a Finding.
type Repetitive interface {
	MaxUses() int
}

// A Collector gathers the uses of one source. It is safe for concurrent use.
type Collector struct {
	mu   sync.Mutex
	uses []Use
}

// Collect returns the uses that find adds to the collector, and then its error.
func Collect(find func(*Collector) error) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		var c Collector
		err := find(&c)
		for _, use := range c.uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(Use{}, err)
		}
	}
}

// Add adds a use of the image and of the digest that the service recorded for it. One of
// the two may be empty. If they are different manifests, such as an index and a child, Add
// adds a use of each. Add fails if it cannot read the name of the image.
func (c *Collector) Add(image, digest string, use Use) (err error) {
	if image != "" || digest == "" {
		if use.Reference, err = reference.ParseAny(image); err != nil {
			return fmt.Errorf("%s: %w", use.By, err)
		}
	}
	named := use.Reference
	if digest != "" {
		if use.Reference, err = named.WithDigest(digest); err != nil {
			return fmt.Errorf("%s: recorded digest of %.200q: %w", use.By, image, err)
		}
	}
	if named.Digest != "" {
		use.Runs = false // the image is used by its digest, not by its tag
	}
	c.AddKnown(use)
	if named.Digest != "" && named != use.Reference {
		use.Reference = named
		c.AddKnown(use)
	}
	return nil
}

// AddGiven adds a use of an image by the name that was given to a service that accepts any
// name. A name that is no reference is a Problem; Add would fail.
func (c *Collector) AddGiven(image string, use Use) error {
	err := c.Add(image, "", use)
	if !errors.Is(err, reference.ErrNoReference) {
		return err
	}
	use.Problem, use.Runs = fmt.Sprintf("its image is %.200q, which is not a reference", image), false
	c.AddKnown(use)
	return nil
}

// AddKnown adds the use as it is.
func (c *Collector) AddKnown(use Use) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses = append(c.uses, use)
}
