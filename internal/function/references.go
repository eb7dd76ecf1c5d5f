package function

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// ErrNoSource says that there is nothing to make a list of references from.
var ErrNoSource = errors.New("the configuration names no source in protect.inUse; name one")

var errNoTarget = errors.New(`configuration: it does not say where mode references writes the list; ` +
	`add "references": {"s3": "s3://bucket/prefix/"}`)

// A List has the content of a list of references. Do not write it if Err returns an error:
// the list would look complete.
type List struct {
	Account, Region string
	Scan            inuse.Scan
}

// List makes an in-use scan of all Regions' images. It fails if the clock is wrong, because
// the list could look too new, and with [ErrNoSource].
func (r Registry) List(ctx context.Context, c config.Config, clock func() time.Time) (List, error) {
	scan := r.Scanner(c, "", clock)
	if scan == nil {
		return List{}, ErrNoSource
	}
	account, err := r.Account(ctx)
	l := List{account, r.Region, scan(ctx)}
	if err := r.ClockCheck.Check(); err != nil {
		return List{}, fmt.Errorf("nothing was written: %w", err)
	}
	if l.Err() != nil {
		err = nil // most likely of the same cause
	}
	return l, err
}

// Err returns the failures of the scan as one error, or nil.
func (l List) Err() error {
	if len(l.Scan.Failed) == 0 {
		return nil
	}
	failures := make([]string, len(l.Scan.Failed))
	for i, f := range l.Scan.Failed {
		failures[i] = f.String()
	}
	return errors.New("nothing was written: " + strings.Join(failures, "; "))
}

// Write writes the list.
func (l List) Write(w io.Writer) error {
	return list.Write(w, l.Account, l.Region, l.Scan.At, l.Scan.Uses)
}

// Location returns where the list is written. A target that ends with a slash is a prefix.
func (l List) Location(target string) string {
	if strings.HasSuffix(target, "/") {
		return target + l.Account + "/" + l.Region + ".json"
	}
	return target
}

// Findings returns the findings of the sources, and one for each use that is not in the
// list. A reader of the list would take its image for unused.
func (l List) Findings() (all []finding.Finding) {
	for _, use := range l.Scan.Uses {
		switch {
		case use.Finding.Kind != "":
			all = append(all, use.Finding)
		case use.Reference.Repository == "":
			problem := cmp.Or(use.Problem, "the repository of "+use.Reference.Digest+" is not known")
			all = append(all, finding.Finding{Kind: finding.UnreadableReference, Message: "not in the list: " + use.By + ": " + problem})
		}
	}
	return all
}

// references carries out the mode references.
func (h *Handler) references(ctx context.Context, run config.Config, hash string, registry Registry) (*report.Report, error) {
	start := h.Now()
	limited, _, cancel := Limit(ctx, start)
	defer cancel()
	l, err := registry.List(limited, run, h.Now)
	switch {
	case errors.Is(err, ErrNoSource):
		return nil, &ConfigurationError{err}
	case err != nil:
		return nil, &RegistryError{err}
	}
	r := &report.Report{
		Version: report.Version, RunID: registry.RunID, Mode: run.Mode, Account: l.Account, Region: l.Region,
		Configuration: hash, Repositories: []report.Repository{}, InUse: l.Scan.Counts, Findings: l.Findings(),
	}
	for _, f := range l.Scan.Failed {
		r.Findings = append(r.Findings, finding.Finding{Kind: finding.ScanFailed, Message: "in-use scan: " + f.String()})
	}
	if r.References, err = l.put(limited, registry, run.References.S3); err != nil {
		r.Incomplete = true
		r.Findings = append(r.Findings, finding.Finding{Kind: finding.ListNotWritten, Message: err.Error()})
	}
	r.Start, r.End = registry.serviceTime(start).UTC(), registry.serviceTime(h.Now()).UTC()
	r.Calls = registry.Calls()
	return h.answer(ctx, r), nil
}

// put writes the list to S3, as one object that replaces the one before.
func (l List) put(ctx context.Context, registry Registry, target string) (*report.References, error) {
	target = l.Location(target)
	if l.Err() != nil {
		return nil, fmt.Errorf("nothing was written to %s, because in-use sources failed: do what the findings say, and run again", target)
	}
	var text bytes.Buffer
	err := l.Write(&text)
	if err == nil {
		err = registry.PutObject(ctx, target, text.Bytes())
	}
	if err != nil {
		return nil, fmt.Errorf("the list was not written: %w", err)
	}
	return &report.References{Location: target, Count: len(list.Entries(l.Scan.Uses))}, nil
}
