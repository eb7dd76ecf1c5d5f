package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the greatest length of a line in bytes. CloudWatch's events have at
// most 1 MB; a line of a subscription can hold several.
const MaxLine = 16 << 20

// Read reads a log to its end; runID, unless it is empty, leaves out all other
// runs. The error is that of r. Memory is bounded by the images listed, those with
// an open intent, the runs, and one line.
func Read(r io.Reader, runID string) (Audit, error) {
	t := newTally(runID)
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := readLine(lines)
		t.number = n
		switch t.line(text); {
		case errors.Is(err, bufio.ErrTooLong):
			t.fault(fmt.Errorf("is longer than %d MB", MaxLine>>20))
		case errors.Is(err, io.EOF):
			return t.audit(), nil
		case err != nil:
			return t.audit(), err
		}
	}
}

// readLine returns the next line without what ends it, or bufio.ErrTooLong after
// one that is too long. Io.EOF may come with a last line.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for tooLong := false; ; {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > MaxLine; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, bufio.ErrTooLong // the end of the input is met again
		default:
			return bytes.TrimSpace(line), err
		}
	}
}
