package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// savePlan writes the plan beside its place and then moves it there, so that
// a plan cut short is never applied.
func savePlan(name string, r *cleaner.Report) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".ecrclean-*")
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left of a plan that was not saved
		}
	}()
	err = printJSON(f, r)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}
