package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A runLog is the log of a run that removes. After the first line that cannot be
// written it takes no other: that would go on in the middle of this one. It is
// safe for concurrent use.
type runLog struct {
	w io.Writer
	// file is what w writes to, if it is to be kept; nil otherwise.
	file *os.File

	mu  sync.Mutex
	err error
	// failed is told the first error.
	failed context.CancelCauseFunc
}

// openRunLog opens a file for the lines of one more run. Without a name there is
// none.
func openRunLog(name string) (*runLog, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no file is no fault
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	l := &runLog{w: f}
	if err == nil {
		var there os.FileInfo
		if there, err = f.Stat(); err == nil && there.Mode().IsRegular() {
			l.file, err = f, endLine(f, there.Size())
		}
	}
	if err != nil {
		return nil, failure(fmt.Errorf("log: %w; name another file with --log", err))
	}
	return l, nil
}

// endLine ends the last line of a file, which a run that was killed may have left
// unfinished.
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

// Write writes a line.
func (l *runLog) Write(line []byte) (n int, err error) {
	err = l.try(func() error {
		n, err = l.w.Write(line)
		return err
	})
	return n, err
}

// try does something with the file unless something went wrong before.
func (l *runLog) try(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if err := do(); err != nil {
		l.err = fmt.Errorf("log: %w; make room for it and run again", err)
		l.failed(l.err)
	}
	return l.err
}

// commit returns when the lines written so far are on the disk, or an error when
// not all of them are.
func (l *runLog) commit() error {
	return l.try(func() error {
		if l.file == nil {
			return nil
		}
		return l.file.Sync()
	})
}

// end closes the log, if there is one, after the run. What it does not name was not removed.
func (l *runLog) end() error {
	if l == nil {
		return nil
	}
	err := l.commit()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	if err != nil {
		return &statusError{statusUnhandled, err}
	}
	return nil
}
