// Package fleet has the objects that executions of the fleet's state machine keep in S3: the
// registries and places, the lists of images in use, the outcome of each registry, and the
// report. The state machine passes only the name of the execution on.
package fleet

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A Store keeps the objects of executions. Names are relative to its location, such as
// NAME/targets.json. It is safe for concurrent use.
type Store interface {
	// Location returns where an object with the name is, such as s3://bucket/fleet/NAME.
	Location(name string) string
	// Open opens an object, and returns its modification time. A missing object is [ErrMissing].
	Open(ctx context.Context, name string) (io.ReadCloser, time.Time, error)
	Put(ctx context.Context, name string, content []byte) error
	// Create is Put for a name without an object. If there is one, the error is [ErrExists]. Of
	// several calls at the same time, at most one succeeds.
	Create(ctx context.Context, name string, content []byte) error
	// List returns the names with the prefix, sorted.
	List(ctx context.Context, prefix string) ([]string, error)
}

// ErrMissing says that there is no such object.
var ErrMissing = errors.New("there is no such object")

// ErrExists says that there is such an object already.
var ErrExists = errors.New("there is such an object already")

// Targets is the list that step targets writes once for an execution.
type Targets struct {
	Execution     string      `json:"execution"`
	Mode          config.Mode `json:"mode"`
	Start         time.Time   `json:"start"`
	Configuration string      `json:"configuration"` // its hash
	// Organization is the id of the organization, if all its accounts were listed.
	Organization string         `json:"organization,omitempty"`
	Registries   []config.Place `json:"registries"` // to clean, sorted
	Places       []config.Place `json:"places"`     // to ask, sorted; Filter does not narrow them
	Skipped      []Skipped      `json:"skipped"`    // registries and places that are not handled
}

// Skipped says why an account, or a Region of it, is neither cleaned nor asked.
type Skipped struct {
	Account string `json:"account"`
	Region  string `json:"region,omitempty"` // empty for the whole account
	Reason  string `json:"reason"`
}

// An Item is a registry to clean in a cycle.
type Item struct {
	config.Place
	Continuation *config.Continuation `json:"continuation"` // null for the first run
}

// A Used is the outcome object of one place in the first map.
type Used struct {
	Execution string `json:"execution"`
	Cycle     int    `json:"cycle"`
	config.Place
	At time.Time `json:"at"` // when the in-use scan began
	// Registries are those that something here uses; each has a list.
	Registries []config.Place `json:"registries"`
	// Elsewhere are the uses that name no ECR registry and may mean any.
	Elsewhere []Use `json:"elsewhere,omitempty"`
	// Findings are the findings of the in-use sources, shortened. The judge reports them.
	Findings []string `json:"findings,omitempty"`
	// Problem says why there is no list; the other fields are then as far as they are known.
	Problem string `json:"problem,omitempty"`
}

// A Use is an image in use and its user, as in a list of references.
type Use struct {
	Image   string `json:"image"`
	By      string `json:"by"`
	Account string `json:"account,omitempty"` // of the user; only a [Barrier] has it
	// AllImages is true if any image of the repository may be in use.
	AllImages bool `json:"allImages,omitempty"`
}

// A Barrier says which accounts have a list of images in use, before a cycle removes images.
type Barrier struct {
	Execution    string    `json:"execution"`
	Cycle        int       `json:"cycle"`
	At           time.Time `json:"at"`
	Oldest       time.Time `json:"oldest"` // the start of the oldest scan whose list counts
	Organization string    `json:"organization,omitempty"`
	// Accounts are those with a list for each of their places, sorted.
	Accounts []string `json:"accounts"`
	// Failed are the places without a list that counts. What their account may use is kept.
	Failed []FailedPlace `json:"failed"`
	// Elsewhere has the uses of all places that name no ECR registry.
	Elsewhere []Use `json:"elsewhere,omitempty"`
	// Users are the places that have a list for a registry, by the registry's place. Those
	// that failed are there too.
	Users map[string][]config.Place `json:"users"`
}

// Until returns the time after which the lists are too old to rely on.
func (b Barrier) Until(maxAge time.Duration) time.Time { return b.Oldest.Add(maxAge) }

// A FailedPlace has no list that counts.
type FailedPlace struct {
	config.Place
	Problem string `json:"problem"`
}

// An Outcome is the outcome object of one registry in the second map. Each run replaces it.
type Outcome struct {
	Execution string `json:"execution"`
	config.Place
	RunID string    `json:"runId"` // of the newest run
	Start time.Time `json:"start"` // of the first run
	End   time.Time `json:"end"`   // of the newest run that ended
	// Begun is the number of the newest run that began, and Round that of the newest that
	// ended. A run that was killed leaves them different.
	Begun int `json:"begun"`
	Round int `json:"round"`
	// Continuation says where the next run begins. It is nil after the last run.
	Continuation *config.Continuation `json:"continuation,omitempty"`
	// Totals are the sums of all runs. Each repository counts once.
	Totals report.Totals `json:"totals"`
	// Undone counts by cause, as [report.Report.Undone] does, the repositories, images and
	// findings that were not handled. In mode apply it also counts repositories above a limit.
	Undone map[string]int `json:"undone,omitempty"`
	// Failed says why the registry was not handled to its end, or is empty.
	Failed  string         `json:"failed,omitempty"`
	Calls   map[string]int `json:"calls"`
	Reports []string       `json:"reports"` // the locations of the reports of the runs
}
