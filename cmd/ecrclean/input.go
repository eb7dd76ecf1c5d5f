package main

import (
	"fmt"
	"io"
	"os"
)

// readInput reads a file, or the standard input for "-". Of a file that is too
// long it reads only the beginning, which is enough to refuse it.
func (w world) readInput(name string, most int64) ([]byte, error) {
	if name == "-" {
		return readAll("standard input", w.stdin, most)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return readAll(name, f, most)
}

func readAll(name string, r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, usageError(fmt.Errorf("read %s: %w", name, err))
	}
	return text, nil
}
