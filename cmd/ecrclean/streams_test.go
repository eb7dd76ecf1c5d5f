package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// inputs are files for the commands that read some.
var inputs = map[string]string{
	"policy.json": keepOne("x"), "images.json": `{"imageDetails": []}`, "event.json": `{}`, "apply.json": `{"mode": "apply"}`, "references": "[]",
	"log": `{"time":"2026-11-22T03:00:03Z","level":"INFO","msg":"run","run_id":"r","mode":"apply"}`,
}

func (p *process) give(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is printed into a closed pipe, the program lives on, and its status
// tells.
func TestAClosedStandardOutputIsAFailure(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"plan", "plan --output json", "plan --help", "explain app v1", "explain app v1 --output json", "policies", "policies --output json",
		"preview --policy policy.json --images images.json", "preview --policy policy.json --images images.json --output json",
		"check policy.json", "check policy.json --output json", "convert policy.json", "attach --policy policy.json --yes", "adopt",
		"references --config {\"protect\":{\"inUse\":[],\"references\":[\"references\"]}}", "audit log", "audit log --output json", "invoke event.json", "demo",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 2)
			registry.Put("app", fakeecr.Image{Tags: []string{"v1"}})
			p := prepare(t, registry, strings.Fields(command)...)
			p.give(t, inputs)
			p.Stdout = closedPipe(t)
			if status := p.run(t); status != statusFailed {
				t.Errorf("ended with %d: %v", status, p.ProcessState)
			}
			p.wantSaid(t, "broken pipe\n")
		})
	}
}

// What was removed is said in another place when the report cannot be.
func TestWhatWasRemovedDoesNotStayUnsaid(t *testing.T) {
	t.Parallel()
	const totals = "ecrclean: 1 repositories (0 left alone), 3 images: 2 to remove, 0 protected; 2 deleted, 0 archived, 0 blocked, 0 changed, 0 gone, 0 failed; at most 0 B (images share layers)\n"
	for _, command := range []string{"apply --yes", "apply --yes --output json", "apply --yes --log log", "delete app v1 v2 --yes", "invoke apply.json"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 0)
			for _, tag := range []string{"v1", "v2", "v3"} {
				registry.Put("app", fakeecr.Image{PushedAt: time.Now().AddDate(0, 0, -9), Tags: []string{tag}})
			}
			p := prepare(t, registry, strings.Fields(command)...)
			p.give(t, map[string]string{"apply.json": inputs["apply.json"]})
			p.Stdout = closedPipe(t)
			if status := p.run(t); status != statusFailed || len(registry.Images("app")) != 1 {
				t.Errorf("ended with %d, %d images are left", status, len(registry.Images("app")))
			}
			p.wantSaid(t, totals, "ecrclean: write the report: write /dev/stdout: broken pipe\n")
			if strings.Contains(command, "--log") && p.audited(t, "log").Totals.Deleted != 2 {
				t.Errorf("the log has\n%s", p.file(t, "log"))
			}
		})
	}
}

// What only prints lines does not look at each; some writers fail for a while.
func TestAWriterThatFailsOnceIsNotWrittenToAgain(t *testing.T) {
	t.Parallel()
	var written strings.Builder
	calls := 0
	o := output{w: writer(func(text []byte) (int, error) {
		if calls++; calls == 2 {
			return 0, errors.New("full")
		}
		return written.Write(text)
	})}
	for _, line := range []string{"a", "b", "c"} {
		_, _ = io.WriteString(&o, line) // as those who do not look
	}
	if written.String() != "a" || o.err == nil || calls != 2 {
		t.Errorf("%q was written with %d calls, error %v", &written, calls, o.err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

// saved saves in a folder with an older file and returns what the folder holds
// then.
func saved(t *testing.T, write func(io.Writer) error) (content map[string]string, err error) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(name, []byte("older"), 0o640); err != nil { //nolint:gosec // others may read it
		t.Fatal(err)
	}
	err = saveFile(name, write)
	entries, listErr := os.ReadDir(dir)
	if listErr != nil {
		t.Fatal(listErr)
	}
	content = map[string]string{}
	for _, e := range entries {
		text, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		info, infoErr := e.Info()
		if err := errors.Join(readErr, infoErr); err != nil {
			t.Fatal(err)
		}
		content[e.Name()] = info.Mode().String() + " " + string(text)
	}
	return content, err
}

// Neither is an older file lost for one that cannot be written, nor is a part of
// that left.
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

// A link stays one.
func TestALinkIsSavedThrough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	if err := saveFile(link, func(w io.Writer) error {
		_, err := io.WriteString(w, "new")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if there, statErr := os.Lstat(link); err != nil || statErr != nil || string(text) != "new" || there.Mode().Type() != os.ModeSymlink {
		t.Errorf("the file holds %q, the link is %v; %v, %v", text, there, err, statErr)
	}
}
