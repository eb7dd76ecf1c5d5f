package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

const (
	maxObject = 64 << 20 // bytes of an object that is read as a whole
	maxReads  = 32       // objects that are read at the same time

	// MaxMessage is the maximum length of a message in an outcome or an answer, in bytes.
	// 4,000 bytes stay below 32 KB even if all of them are escaped twice.
	MaxMessage = 4_000
)

// ReadTargets reads the targets of an execution. It returns [ErrMissing] if step targets did
// not write them.
func ReadTargets(ctx context.Context, s Store, execution string) (Targets, error) {
	t, err := readObject[Targets](ctx, s, targetsName(execution))
	if err == nil && t.Execution != execution {
		err = fmt.Errorf("read %s: it is of execution %q; start a new execution", s.Location(targetsName(execution)), t.Execution)
	}
	return t, err
}

// ReadOutcome reads the outcome object of a registry. It returns [ErrMissing] if there is none.
func ReadOutcome(ctx context.Context, s Store, execution string, registry config.Place) (Outcome, error) {
	name := outcomeName(execution, registry)
	o, err := readObject[Outcome](ctx, s, name)
	if err == nil && (o.Place != registry || o.Execution != execution) {
		err = fmt.Errorf("read %s: it is of %s in execution %q", s.Location(name), o.Place, o.Execution)
	}
	return o, err
}

// WriteOutcome replaces the outcome object of a registry.
func WriteOutcome(ctx context.Context, s Store, o Outcome) error {
	return writeObject(ctx, s, outcomeName(o.Execution, o.Place), o)
}

// CreateRun creates the object of the run that o begins. It returns [ErrExists] if another
// request has created it: then that request carries out the run.
func CreateRun(ctx context.Context, s Store, o Outcome) error {
	return putObject(ctx, s, runName(o.Execution, o.Place, o.Begun), o, s.Create)
}

// Next lists the registries for the cycle after this one: those with work left, and those
// that never began because the lists were too old. It lists none if no registry got further
// in this cycle, or after [MaxCycles]. If there are any, it writes the items.
func Next(ctx context.Context, s Store, execution string, cycle int) (left int, err error) {
	items, err := readObject[[]Item](ctx, s, RegistriesName(execution, cycle))
	if err != nil {
		return 0, err
	}
	next, further := make([]*Item, len(items)), make([]bool, len(items))
	each(len(items), func(i int) {
		// The judge reports an object that is missing or cannot be read.
		if o, err := ReadOutcome(ctx, s, execution, items[i].Place); err == nil {
			further[i] = o.Round >= round(items[i].Continuation)
			if o.open() {
				next[i] = &Item{items[i].Place, o.Continuation}
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	next = slices.DeleteFunc(next, func(i *Item) bool { return i == nil })
	if len(next) == 0 || !slices.Contains(further, true) || cycle >= MaxCycles {
		return 0, nil
	}
	return len(next), writeObject(ctx, s, RegistriesName(execution, cycle+1), next)
}

// MaxCycles is the maximum number of cycles of an execution.
const MaxCycles = 1000

// round returns the number of the run that the continuation is for.
func round(c *config.Continuation) int {
	if c == nil {
		return 1
	}
	return c.Round
}

// open reports whether another run may go on with the registry.
func (o *Outcome) open() bool {
	return o.Failed == "" && o.Begun == o.Round && (o.Round == 0 || o.Continuation != nil)
}

// Key returns the key of an object in its bucket.
func Key(s Store, name string) string {
	_, key, _ := strings.Cut(strings.TrimPrefix(s.Location(name), "s3://"), "/")
	return key
}

// Shorten returns a message in one line of at most size bytes.
func Shorten(message string, size int) string {
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "?")), " ")
	if len(message) <= size {
		return message
	}
	const mark = "…"
	return strings.ToValidUTF8(message[:size-len(mark)], "") + mark
}

func readObject[T any](ctx context.Context, s Store, name string) (content T, err error) {
	r, _, err := s.Open(ctx, name)
	if err != nil {
		return content, err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxObject+1))
	err = errors.Join(err, r.Close())
	if err == nil && len(text) > maxObject {
		err = fmt.Errorf("it is larger than %d bytes", maxObject)
	}
	if err == nil {
		err = json.Unmarshal(text, &content)
	}
	if err != nil {
		err = fmt.Errorf("read %s: %w", s.Location(name), err)
	}
	return content, err
}

func writeObject(ctx context.Context, s Store, name string, content any) error {
	return putObject(ctx, s, name, content, s.Put)
}

func putObject(ctx context.Context, s Store, name string, content any, put func(context.Context, string, []byte) error) error {
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("write %s: %w", s.Location(name), err)
	}
	return put(ctx, name, text)
}

// each calls work for 0 to n-1, several at the same time.
func each(n int, work func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(maxReads, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
}
