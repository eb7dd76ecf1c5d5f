// Package inuse finds the images that are in use. It takes sources, each of which
// queries one service or reads one list of references. It returns a [Scan]: which
// images are used, by what, and which sources failed. A source that failed may use any
// image, so no image that it protects may be deleted.
//
// The package has what the sources share: concurrency, paging and errors. Each source
// has a package of its own below, and package services has the table of the services.
// A reference with a tag does not say which digest has the tag; the listing of the
// repository does.
package inuse

import (
	"cmp"
	"context"
	"iter"
	"strconv"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A Use is one image that something uses.
type Use struct {
	// Reference is the image. With a digest it is the image with that digest, even if
	// its tag has moved. Without a digest it is the image that has the tag now. Without
	// a RegistryID it is an image of another host, which may be a proxy for any
	// registry. A digest alone means the image with that digest in any repository.
	Reference reference.Reference
	// By is the user of the image: the ARN of a task, a service, a service revision, a
	// task definition, a function version or an alias. For an entry of a list it is the
	// ARN in the entry, or else the name of the list and the line.
	By string
	// Source is the name of the source. Scope.Run sets it.
	Source string
	// Revision is 0, unless the only use is by one of the newest revisions of a task
	// definition family: 1 is the newest revision.
	Revision int
	// Runs is true when a running container, or the current revision of a service, uses
	// the image by its tag. Then the Reference has the digest that was recorded for the
	// tag, or none if none was recorded.
	Runs bool
	// Problem says why the image is not known. Then Reference is zero. It is empty for
	// a known image.
	Problem string
}

func (u Use) compare(other Use) int {
	return cmp.Or(u.Reference.Compare(other.Reference), cmp.Compare(u.By, other.By),
		cmp.Compare(u.Source, other.Source), cmp.Compare(u.Revision, other.Revision),
		cmp.Compare(u.Problem, other.Problem), cmp.Compare(strconv.FormatBool(u.Runs), strconv.FormatBool(other.Runs)))
}

// A Source finds the images that one service uses or one list contains. It must be
// safe for concurrent use.
type Source interface {
	// Name is the entry of protect.inUse or of protect.references.
	Name() string
	// Uses yields the uses in any order; a use may be repeated. The first error ends
	// the sequence: the uses before it are right but not complete. A sequence without
	// an error must be complete.
	Uses(ctx context.Context) iter.Seq2[Use, error]
}

// A Repetitive source may name an image very often. A scan keeps only some uses of each
// of its images.
type Repetitive interface {
	// MaxUses is the maximum number of uses of an image that a scan keeps.
	MaxUses() int
}
