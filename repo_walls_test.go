package repo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A plan shows what would be deleted. Nothing that the package plan links, directly or not,
// can call a service or delete an image.
func TestAPlanCannotDelete(t *testing.T) {
	t.Parallel()
	own := []string{
		"clock", "config", "config/selected", "decimal", "evaluator", "finding", "graph", "inuse", "jsondoc", "lifecycle", "nearest",
		"plan", "reference", "resourcepolicy", "selection", "usage", "wildcard", "words",
	}
	if found := foreign(dependencies(t, "./internal/plan"), own); len(found) > 0 {
		t.Errorf("internal/plan links %v", found)
	}
}

// The evaluator decides what is deleted. It reads a policy, images and a time, and has no
// clock, no files, no network and no AWS.
func TestTheEvaluatorHasNoInputButItsArguments(t *testing.T) {
	t.Parallel()
	own := []string{"decimal", "evaluator", "jsondoc", "lifecycle", "nearest", "wildcard"}
	if found := foreign(dependencies(t, "./internal/lifecycle", "./internal/evaluator"), own); len(found) > 0 {
		t.Errorf("internal/lifecycle and internal/evaluator link %v", found)
	}
	for _, s := range sources(t) {
		if s.dir() != "internal/lifecycle" && s.dir() != "internal/evaluator" {
			continue
		}
		for _, im := range s.imports() {
			if slices.Contains([]string{"io", "io/fs", "log", "log/slog", "os", "syscall"}, im) {
				t.Errorf("%s imports %s", s.path, im)
			}
		}
	}
}

// The two tests above must see an import of a package that deletes or calls.
func TestForeignPackagesAreFound(t *testing.T) {
	t.Parallel()
	linked := []string{"fmt", "os", module + "/internal/plan", module + "/internal/apply", "github.com/aws/smithy-go", "net", "net/http", "os/exec"}
	want := []string{module + "/internal/apply", "github.com/aws/smithy-go", "net", "net/http", "os/exec"}
	if found := foreign(linked, []string{"plan"}); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	for _, remover := range []string{"apply", "ecrapi", "cleaner", "function"} {
		if found := foreign(dependencies(t, "./internal/"+remover), []string{"plan"}); len(found) == 0 {
			t.Errorf("internal/%s has no foreign package", remover)
		}
	}
}

func dependencies(t *testing.T, packages ...string) []string {
	t.Helper()
	return goCommand(t, nil, append([]string{"list", "-deps"}, packages...)...)
}

// foreign returns the linked packages that are neither the own ones below internal nor in
// the standard library, and those of the standard library that reach other machines or
// programs.
func foreign(linked, own []string) []string {
	return slices.DeleteFunc(slices.Clone(linked), func(p string) bool {
		if name, isOwn := strings.CutPrefix(p, module+"/internal/"); isOwn {
			return slices.Contains(own, name)
		}
		root, _, _ := strings.Cut(p, "/")
		return !strings.Contains(root, ".") && root != "net" && p != "os/exec"
	})
}

// A package that is larger has a reason in docs/design.md: its path stands there in the
// section "Packages over the bound".
func TestPackagesAreSmall(t *testing.T) {
	t.Parallel()
	const maxLines, maxFiles = 2000, 25
	lines, count := map[string]int{}, map[string]int{}
	for _, s := range sources(t) {
		lines[s.dir()] += strings.Count(read(t, s.path), "\n")
		count[s.dir()]++
	}
	_, reasons, _ := strings.Cut(read(t, "docs/design.md"), "## Packages over the bound")
	for dir := range lines {
		over := lines[dir] > maxLines || count[dir] > maxFiles
		if named := strings.Contains(reasons, fmt.Sprintf("`%s`", dir)); over && !named {
			t.Errorf("%s has %d lines in %d files, the bound is %d and %d; split it, or give a reason in docs/design.md",
				dir, lines[dir], count[dir], maxLines, maxFiles)
		}
	}
}
