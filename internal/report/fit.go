package report

import "encoding/json"

// Omitted says how much of a report was left out.
type Omitted struct {
	Repositories int `json:"repositories"`
	Images       int `json:"images"`
	Findings     int `json:"findings"`
}

// Fit leaves out details until the JSON text of the report has at most size
// bytes, and says in Omitted what is missing: first the images, of the last
// repositories before the first, then the repositories in which there is
// nothing to remove, then the others. The totals always stay.
func (r *Report) Fit(size int) {
	used := jsonSize(r)
	if used <= size {
		return
	}
	r.Omissions()
	used -= r.omitFindings(size / 4)
	used += jsonSize(r.Omitted) + len(`,"omitted":`) + 3*maxDigits
	for i := len(r.Repositories) - 1; i >= 0 && used > size; i-- {
		repository := &r.Repositories[i]
		used -= jsonSize(repository.Images) - len("[]")
		r.Omitted.Images += len(repository.Images)
		repository.Images = []Image{}
	}
	for _, quiet := range []bool{true, false} {
		used = r.omitRepositories(quiet, used, size)
	}
}

// Omissions returns what Omitted points to.
func (r *Report) Omissions() *Omitted {
	if r.Omitted == nil {
		r.Omitted = &Omitted{}
	}
	return r.Omitted
}

// omitFindings keeps the first findings, of at most size bytes together, and
// returns how many bytes went.
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

// maxDigits is the length of the longest count that Omitted can hold.
const maxDigits = 20

// omitRepositories leaves out the last repositories, quiet ones or the others,
// until the report fits.
func (r *Report) omitRepositories(quiet bool, used, size int) int {
	for i := len(r.Repositories) - 1; i >= 0 && used > size; i-- {
		if r.Repositories[i].quiet() != quiet {
			continue
		}
		used -= jsonSize(r.Repositories[i]) + len(",")
		r.Omitted.Repositories++
		r.Repositories[i].Name = "" // marks it; no repository has an empty name
	}
	kept := r.Repositories[:0]
	for _, repository := range r.Repositories {
		if repository.Name != "" {
			kept = append(kept, repository)
		}
	}
	r.Repositories = kept
	return used
}

// quiet reports whether there was nothing to remove and nothing went wrong.
func (r *Repository) quiet() bool {
	return r.Expired+r.Transitioned+r.Untagged+r.Followed+r.Protected == 0 && !r.Skipped.IsFailure()
}

// jsonSize is the length of the JSON text of a value whose types all have one.
func jsonSize(v any) int {
	text, _ := json.Marshal(v)
	return len(text)
}
