package terminal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestAFileHasNoWidthAndNoColours(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	awstest.NoError(t, err)
	defer func() { _ = f.Close() }()
	getenv := func(name string) string { return map[string]string{"COLUMNS": "80"}[name] }
	awstest.Equal(t, "streams", terminal.Streams{}, terminal.Open(f, f, getenv))
}

func TestColorPrecedesTheTerminal(t *testing.T) {
	t.Parallel()
	for when, want := range map[terminal.When][2]bool{
		terminal.Auto: {true, false}, terminal.Always: {true, true}, terminal.Never: {false, false},
	} {
		s := terminal.Streams{Out: terminal.Terminal{Width: 80, Colour: true}}.Coloured(when)
		awstest.Equal(t, string(when), want, [2]bool{s.Out.Colour, s.Err.Colour})
	}
	var when terminal.When
	if err := when.Set("sometimes"); err == nil {
		t.Error("--color sometimes is accepted")
	}
	awstest.NoError(t, when.Set("never"))
	awstest.Equal(t, "painted", "\x1b[31mx\x1b[0m", terminal.Terminal{Colour: true}.Paint(terminal.Red, "x"))
	awstest.Equal(t, "not painted", "x", terminal.Terminal{}.Paint(terminal.Red, "x"))
}
