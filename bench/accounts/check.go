package accounts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

// An Outcome is the outcome of a plan, as the log of the function has it.
type Outcome struct {
	Failed []string                   // the in-use sources that failed, sorted
	Marked map[string]map[string]bool // the digests of the images to remove, by repository
}

// A line has the members of a line of the log that say something about the outcome.
type line struct {
	Repository, Skipped string
	Kind, Message       string // of a finding
	Images              []struct {
		ImageDigest, Verdict string
		ProtectedBy          []json.RawMessage
	}
}

// ReadLog reads the log of a function in mode plan, which removes no image of a skipped
// repository.
func ReadLog(log []byte) (Outcome, error) {
	o := Outcome{Marked: map[string]map[string]bool{}}
	var skipped []string
	for text := range bytes.Lines(log) {
		if text[0] != '{' { // a line of the runtime
			continue
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return o, fmt.Errorf("log: %w: %.200s", err, text)
		}
		if l.Kind == "inUseScanFailed" {
			source, _, _ := strings.Cut(strings.TrimPrefix(l.Message, "in-use scan: "), ": ")
			o.Failed = append(o.Failed, source)
		}
		if l.Skipped != "" {
			skipped = append(skipped, l.Repository)
		}
		o.mark(l)
	}
	slices.Sort(o.Failed)
	for _, repository := range skipped {
		delete(o.Marked, repository)
	}
	return o, nil
}

func (o *Outcome) mark(l line) {
	for _, im := range l.Images {
		if im.Verdict != "expire" || len(im.ProtectedBy) > 0 {
			continue
		}
		if o.Marked[l.Repository] == nil {
			o.Marked[l.Repository] = map[string]bool{}
		}
		o.Marked[l.Repository][im.ImageDigest] = true
	}
}

// Check compares a plan with in-use sources for the services with one without. The sources
// of denied accounts must fail, and no others. The plan must not mark images that are in use,
// and none in shared repositories, which a denied account may use. It must mark all others.
func (s Scale) Check(without, with Outcome, services ...string) error {
	if want := s.Failed(services...); !slices.Equal(with.Failed, want) {
		return fmt.Errorf("%d sources failed, not %d: %.1000q and not %.1000q", len(with.Failed), len(want), with.Failed, want)
	}
	if n := len(without.Marked); n < s.All()/2 {
		return fmt.Errorf("without in-use sources, images of only %d of %d repositories are marked", n, s.All())
	}
	inUse := s.inUse()
	for r := range s.All() {
		name := bench.Repository(r)
		want := map[string]bool{}
		for digest := range without.Marked[name] {
			if !s.isShared(r) && !inUse[name][digest] {
				want[digest] = true
			}
		}
		if !maps.Equal(with.Marked[name], want) {
			return fmt.Errorf("%s: %d images are marked, or other ones; want %d", name, len(with.Marked[name]), len(want))
		}
	}
	return nil
}
