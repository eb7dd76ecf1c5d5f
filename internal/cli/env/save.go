package env

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// SaveFile writes a file or, after an error, leaves the older file as it was: it writes a
// temporary file and renames it. It writes directly to a pipe or a device.
func SaveFile(name string, write func(io.Writer) error) error {
	there, err := os.Stat(name)
	switch {
	case err != nil: // it does not exist, or os.CreateTemp finds the fault
		err = replaceFile(name, 0o600, write)
	case there.Mode().IsRegular():
		err = replaceFile(name, there.Mode().Perm(), write)
	default:
		var f *os.File
		if f, err = os.OpenFile(name, os.O_WRONLY, 0); err == nil {
			err = errors.Join(write(f), f.Close())
		}
	}
	if cause, ok := errors.AsType[*fs.PathError](err); ok { // it names the temporary file
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
			_ = os.Remove(f.Name()) // err says what went wrong
		}
	}()
	if err := errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
