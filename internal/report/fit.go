package report

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Omitted counts the parts that were left out of a report.
type Omitted struct {
	Repositories int `json:"repositories"`
	Images       int `json:"images"`
	Findings     int `json:"findings"`
	Sources      int `json:"sources,omitempty"` // in InUse
}

const maxDigits = 20 // of a count in Omitted

// Fit shortens the report until its JSON text has at most size bytes. It leaves out
// findings beyond a quarter of size, and in-use sources beyond an eighth, first those with
// the fewest uses. Then it leaves out images, and then repositories, from the end.
// Repositories with nothing to remove and no failure go before others. It counts the missing
// parts in Omitted. The totals stay.
func (r *Report) Fit(size int) {
	used := jsonSize(r)
	if used <= size {
		return
	}
	r.Omissions()
	used -= r.omitFindings(size/4) + r.omitSources(size/8)
	used += jsonSize(r.Omitted) + len(`,"omitted":`) + 4*maxDigits
	for i := len(r.Repositories) - 1; i >= 0 && used > size; i-- {
		repository := &r.Repositories[i]
		used -= jsonSize(repository.Images) - len("[]")
		r.Omitted.Images += len(repository.Images)
		repository.Images = []Image{}
	}
	for _, quiet := range []bool{true, false} {
		used -= r.omitRepositories(quiet, used-size)
	}
}

// Omissions returns Omitted, which it makes if it is nil.
func (r *Report) Omissions() *Omitted {
	if r.Omitted == nil {
		r.Omitted = &Omitted{}
	}
	return r.Omitted
}

// omitFindings keeps findings of at most size bytes. It returns the bytes saved.
func (r *Report) omitFindings(size int) int {
	kept, used, before := 0, 0, jsonSize(r.Findings)
	for kept < len(r.Findings) {
		if used += jsonSize(r.Findings[kept]) + len(","); used > size {
			break
		}
		kept++
	}
	r.Omitted.Findings += len(r.Findings) - kept
	r.Findings = r.Findings[:kept]
	return before - jsonSize(r.Findings)
}

// omitSources keeps the in-use sources with the most uses, of at most size bytes. It
// returns the bytes saved.
func (r *Report) omitSources(size int) int {
	before := jsonSize(r.InUse)
	kept, used := map[string]int{}, 0
	fewer := func(a, b string) int { return cmp.Or(r.InUse[b]-r.InUse[a], strings.Compare(a, b)) }
	for _, source := range slices.SortedFunc(maps.Keys(r.InUse), fewer) {
		if used += jsonSize(map[string]int{source: r.InUse[source]}); used > size {
			r.Omitted.Sources = len(r.InUse) - len(kept)
			r.InUse = kept
			break
		}
		kept[source] = r.InUse[source]
	}
	return before - jsonSize(r.InUse)
}

// omitRepositories leaves out repositories, quiet or not, until it has saved excess
// bytes. It returns the bytes saved.
func (r *Report) omitRepositories(quiet bool, excess int) (saved int) {
	for i := len(r.Repositories) - 1; i >= 0 && saved < excess; i-- {
		if r.Repositories[i].quiet() == quiet {
			saved += jsonSize(r.Repositories[i]) + len(",")
			r.Omitted.Repositories++
			r.Repositories[i].Name = "" // to be left out: no repository has an empty name
		}
	}
	r.Repositories = slices.DeleteFunc(r.Repositories, func(repository Repository) bool { return repository.Name == "" })
	return saved
}

// quiet reports whether the repository has nothing to remove and no failure.
func (r *Repository) quiet() bool {
	return r.Expired+r.Transitioned+r.Untagged+r.Followed+r.Protected == 0 && !r.Skipped.IsFailure()
}

func jsonSize(v any) int {
	text, _ := json.Marshal(v)
	return len(text)
}
