package runlog

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A removing run learns that the log could not be written.
func TestALogThatFailsCommitsNothing(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	var told error
	log := &Log{w: writer(func([]byte) (int, error) { return 0, full }), failed: func(err error) { told = err }}
	_, _ = io.WriteString(log, "line") // as slog, which does not look
	for _, err := range []error{told, log.Commit(), log.Close()} {
		awstest.ErrorIs(t, "a full disk", err, full)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(content []byte) (int, error) { return w(content) }

// What a killed run has left unfinished does not take the next line with it.
func TestTheLogGoesOnAfterAnUnfinishedLine(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{"": "new\n", "a\n": "a\nnew\n", "a\n{\"cut": "a\n{\"cut\nnew\n"} {
		name := filepath.Join(t.TempDir(), "log")
		awstest.NoError(t, os.WriteFile(name, []byte(before), 0o600))
		l, err := Open(name)
		awstest.NoError(t, err)
		_, err = io.Copy(l, strings.NewReader("new\n"))
		text, readErr := os.ReadFile(name)
		if err != nil || l.Close() != nil || readErr != nil || string(text) != want {
			t.Errorf("after %q the log is %q; %v, %v", before, text, err, readErr)
		}
	}
}
