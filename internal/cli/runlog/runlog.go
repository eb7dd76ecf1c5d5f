// Package runlog writes the log of a run that removes images. The log is on the disk before
// each call that removes images, and the run ends when the log fails.
package runlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
)

// A Log is the log of one run. After an error it writes nothing, because the next line
// would continue a broken one. It is safe for concurrent use.
type Log struct {
	w    io.Writer
	file *os.File // nil if w is not a regular file

	mu     sync.Mutex
	err    error
	failed context.CancelCauseFunc // receives the first error
}

// New returns a log to the writer. Call Watch before the first Write.
func New(w io.Writer) *Log { return &Log{w: w} }

// Open appends to a file. It returns nil for no name. Call Watch before the first Write.
func Open(name string) (*Log, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no file is no fault
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	l := New(f)
	if err == nil {
		var there os.FileInfo
		if there, err = f.Stat(); err == nil && there.Mode().IsRegular() {
			l.file, err = f, endLine(f, there.Size())
		}
	}
	if err != nil {
		return nil, exit.Failuref("log: %w; name another file with --log", err)
	}
	return l, nil
}

// endLine ends the last line, which a killed run may have left unfinished.
func endLine(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	r, err := os.Open(f.Name())
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	last := make([]byte, 1)
	if _, err = r.ReadAt(last, size-1); err == nil && last[0] != '\n' {
		_, err = f.WriteString("\n")
	}
	return err
}

// Watch returns a context for the run, which ends when the log fails.
func (l *Log) Watch(ctx context.Context) context.Context {
	ctx, l.failed = context.WithCancelCause(ctx)
	return ctx
}

// Write writes a line.
func (l *Log) Write(line []byte) (n int, err error) {
	err = l.try(func() error {
		n, err = l.w.Write(line)
		return err
	})
	return n, err
}

func (l *Log) try(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if err := do(); err != nil {
		l.err = fmt.Errorf("log: %w; free some space and run again", err)
		l.failed(l.err)
	}
	return l.err
}

// Commit returns nil when all lines are on the disk.
func (l *Log) Commit() error {
	return l.try(func() error {
		if l.file == nil {
			return nil
		}
		return l.file.Sync()
	})
}

// Close commits and closes the log, which may be nil.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	err := l.Commit()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	if err != nil {
		return exit.Incompletef("%w", err)
	}
	return nil
}
