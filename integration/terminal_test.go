//go:build integration

package integration_test

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// colour is a sequence that sets a colour.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestALargeRegistryOnATerminal plans 600,000 images. The first line of progress comes within
// the first second, no line wraps, and the screen has fewer than 40 lines.
func TestALargeRegistryOnATerminal(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(bench.NewServer(bench.Size{Repositories: 300, Images: 2000}, 20*time.Millisecond, time.Now()))
	t.Cleanup(server.Close)
	for _, columns := range []int{80, 120} {
		text := planned(t, server.URL, columns)
		progress, screen := "", text
		if i := strings.LastIndex(text, "\x1b[K"); i >= 0 {
			progress, screen = text[:i], text[i+len("\x1b[K"):]
		}
		first, _, _ := strings.Cut(strings.TrimLeft(progress, "\r"), "\x1b[K")
		if !strings.HasSuffix(first, " 0 s so far") {
			t.Errorf("%d columns: the first progress is %q", columns, first)
		}
		lines := strings.Split(strings.TrimRight(colour.ReplaceAllString(screen, ""), "\r\n"), "\r\n")
		if len(lines) >= 40 || !strings.Contains(screen, "140,000 images") {
			t.Errorf("%d columns: the screen has %d lines:\n%s", columns, len(lines), screen)
		}
		for drawn := range strings.SplitSeq(progress, "\x1b[K") {
			lines = append(lines, strings.Trim(drawn, "\r\n"))
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > columns {
				t.Errorf("%d columns: a line has %d: %q", columns, utf8.RuneCountInString(line), line)
			}
		}
	}
}

// planned returns what plan writes to a terminal of that width.
func planned(t *testing.T, url string, columns int) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "ecrclean"), "plan", "-c",
		`{"protect": {"inUse": []}, "policies": [{"policy": `+keepNewest(1500)+`}]}`)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+url, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true", "CLEANER_CONFIG=", "TERM=xterm", "COLUMNS=")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: uint16(columns)})
	awstest.NoError(t, err)
	defer func() { _ = terminal.Close() }()
	text, _ := io.ReadAll(terminal) // it fails when the program has closed the terminal
	awstest.NoError(t, cmd.Wait())
	return string(text)
}
