package cleaner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A fault in one repository, while it is planned or applied, does not keep the
// others from being cleaned, and is said.
func TestAPanicInOneRepositoryIsItsOwn(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"listing", "deletion"} {
		w := newWorld(image("a", 9*day)).add("faulty", image("a", 9*day)).add("web", image("a", 9*day))
		r := newRunner(t, w, withPolicy(expireOld, ""))
		reader, remover := w.registry(), w.remover()
		images, remove := reader.images, remover.delete
		reader.images = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			if repository == "faulty" && where == "listing" {
				panic("fault")
			}
			return images(ctx, repository)
		}
		remover.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
			if repository == "faulty" {
				panic("fault")
			}
			return remove(ctx, repository, digests)
		}
		log := &logged{}
		r.Registry, r.Remover, r.Workers, r.Log = reader, remover, 1, log.logger()
		report := run(t, &r)
		faulty := repositoryOf(t, &report, "faulty")
		words := faulty.Message
		if where == "deletion" {
			words = faulty.Images[0].Message
		}
		if report.Totals.Deleted != 2 || !report.Incomplete || !strings.HasPrefix(words, "the program is faulty: fault; please report it") {
			t.Errorf("%s: totals %+v, message %q", where, report.Totals, words)
		}
	}
}

// Where a run never comes to its end, another repository is the last each day;
// on one day, every run has the same order.
func TestTheOrderIsThatOfTheDay(t *testing.T) {
	t.Parallel()
	begun := func(now time.Time, rotate bool) string {
		w := newWorld()
		for i := range 20 {
			w.add(fmt.Sprint("r", i))
		}
		r := newRunner(t, w, withPolicy(expireOld, ""))
		reader := w.registry()
		images := reader.images
		var names []string
		reader.images = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			names = append(names, repository)
			return images(ctx, repository)
		}
		r.Registry, r.Workers, r.Now, r.Rotate = reader, 1, now, rotate
		report := run(t, &r)
		var reported []string
		for _, rr := range report.Repositories {
			reported = append(reported, rr.Name)
		}
		if !slices.Equal(reported, w.names) {
			t.Errorf("reported in the order %v", reported)
		}
		return strings.Join(names, " ")
	}
	today, tonight, tomorrow := begun(now, true), begun(now.Add(time.Hour), true), begun(now.Add(day), true)
	if listing := begun(now, false); today == listing || today != tonight || today == tomorrow {
		t.Errorf("begun in the orders\n%s\n%s\n%s\n%s", listing, today, tonight, tomorrow)
	}
}
