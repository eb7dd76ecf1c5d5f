package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

func savePlan(name string, r *cleaner.Report) error {
	if err := saveFile(name, r.WriteJSON); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// saveFile writes a file beside its place and then moves it there, so that one
// that was cut short is never read.
func saveFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".ecrclean-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left of a file that was not saved
		}
	}()
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return err
}
