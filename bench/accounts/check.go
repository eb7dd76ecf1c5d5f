package accounts

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

// Marked has the digests of the images that a plan marks, by repository.
type Marked map[string]map[string]bool

// MarkedIn reads the log of a function. A plan marks no image of a skipped repository.
func MarkedIn(log []byte) (Marked, error) {
	marked := Marked{}
	var skipped []string
	for line := range bytes.Lines(log) {
		var entry struct {
			Repository, Skipped string
			Images              []struct {
				ImageDigest, Verdict string
				ProtectedBy          []json.RawMessage
			}
		}
		if line[0] != '{' { // a line of the runtime
			continue
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, fmt.Errorf("log: %w: %.200s", err, line)
		}
		if entry.Skipped != "" {
			skipped = append(skipped, entry.Repository)
		}
		for _, im := range entry.Images {
			if im.Verdict != "expire" || len(im.ProtectedBy) > 0 {
				continue
			}
			if marked[entry.Repository] == nil {
				marked[entry.Repository] = map[string]bool{}
			}
			marked[entry.Repository][im.ImageDigest] = true
		}
	}
	for _, repository := range skipped {
		delete(marked, repository)
	}
	return marked, nil
}

// Check compares the images that a plan marks with those that it must mark: of all that a
// plan without in-use sources marks, those that are not in use, and none in shared
// repositories, which a denied account may use.
func (s Scale) Check(all, marked Marked) error {
	inUse := s.InUse()
	if len(all) < s.All()/2 {
		return fmt.Errorf("without in-use sources, images of only %d of %d repositories are marked", len(all), s.All())
	}
	for r := range s.All() {
		name := bench.Repository(r)
		want := 0
		for digest := range all[name] {
			must := !s.isShared(r) && !inUse[name][digest]
			if must {
				want++
			}
			if marked[name][digest] != must {
				return fmt.Errorf("%s@%s: marked %t, in use %t, of a shared repository %t", name, digest, !must, inUse[name][digest], s.isShared(r))
			}
		}
		if len(marked[name]) != want {
			return fmt.Errorf("%s: %d images are marked, not %d", name, len(marked[name]), want)
		}
	}
	return nil
}
