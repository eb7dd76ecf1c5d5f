package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// savePlan writes a plan to a file, but not one that a signal has cut short: the
// file may hold a whole one.
func (s *setup) savePlan(ctx context.Context, name string, r *cleaner.Report) error {
	if interrupted := ctx.Err() != nil; interrupted && r.Incomplete {
		fmt.Fprintf(s.stderr, "ecrclean: %s is not written: the plan is not whole\n", printable(name))
		return nil
	}
	if err := saveFile(name, r.WriteJSON); err != nil {
		return failure(fmt.Errorf("save plan: %w", err))
	}
	return nil
}

// saveFile writes a file beside its place and then moves it there, so that one
// that was cut short is never read and what was there before is not lost for it.
// What is no regular file, such as a pipe, is written straight.
func saveFile(name string, write func(io.Writer) error) error {
	there, err := os.Stat(name)
	switch {
	case err != nil: // there is none, or creating it says what is wrong
		err = replaceFile(name, 0o600, write)
	case there.Mode().IsRegular():
		err = replaceFile(name, there.Mode().Perm(), write)
	default:
		var f *os.File
		if f, err = os.OpenFile(name, os.O_WRONLY, 0); err == nil {
			err = errors.Join(write(f), f.Close())
		}
	}
	if cause, ok := errors.AsType[*fs.PathError](err); ok { // of another name
		err = cause.Err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func replaceFile(name string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".ecrclean-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left of a file that was not saved
		}
	}()
	if err := errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
