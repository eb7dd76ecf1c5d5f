package env

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// What only prints lines does not look at each; some writers fail for a while.
func TestAWriterThatFailsOnceIsNotWrittenToAgain(t *testing.T) {
	t.Parallel()
	var written strings.Builder
	calls := 0
	o := Output{W: writer(func(text []byte) (int, error) {
		if calls++; calls == 2 {
			return 0, errors.New("full")
		}
		return written.Write(text)
	})}
	for _, line := range []string{"a", "b", "c"} {
		_, _ = io.WriteString(&o, line) // as those who do not look
	}
	if written.String() != "a" || o.Err == nil || calls != 2 {
		t.Errorf("%q was written with %d calls, error %v", &written, calls, o.Err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

// saved saves in a folder with an older file and returns what the folder holds then.
func saved(t *testing.T, write func(io.Writer) error) (content map[string]string, err error) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(name, []byte("older"), 0o640); err != nil { //nolint:gosec // others may read it
		t.Fatal(err)
	}
	err = SaveFile(name, write)
	entries, listErr := os.ReadDir(dir)
	awstest.NoError(t, listErr)
	content = map[string]string{}
	for _, e := range entries {
		text, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		info, infoErr := e.Info()
		awstest.NoError(t, errors.Join(readErr, infoErr))
		content[e.Name()] = info.Mode().String() + " " + string(text)
	}
	return content, err
}

// Neither is an older file lost for one that cannot be written, nor is a part of that left.
func TestAFileIsSavedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	content, err := saved(t, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) || !strings.HasSuffix(err.Error(), "plan.json: no space left on device") || len(content) != 1 || content["plan.json"] != "-rw-r----- older" {
		t.Errorf("%v leaves %v", err, content)
	}
	content, err = saved(t, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return err
	})
	if err != nil || len(content) != 1 || content["plan.json"] != "-rw-r----- new" {
		t.Errorf("%v leaves %v", err, content)
	}
}

// SaveFile keeps a symbolic link and writes the file behind it.
func TestALinkIsSavedThrough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	awstest.NoError(t, errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink("file", link)))
	awstest.NoError(t, SaveFile(link, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return err
	}))
	text, err := os.ReadFile(file)
	if there, statErr := os.Lstat(link); err != nil || statErr != nil || string(text) != "new" || there.Mode().Type() != os.ModeSymlink {
		t.Errorf("the file holds %q, the link is %v; %v, %v", text, there, err, statErr)
	}
}
