package audit_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// ownLines are the lines of the function and the tool, by message, without the fields
// that all lines have. The two lines without a run_id are written before a run begins.
var ownLines = map[string]string{
	"intent":     `"run_id":"r","repository":"app","policy":"p","digest":"sha256:a","tags":"","attempt":1`,
	"image":      `"run_id":"r","repository":"app","policy":"p","digest":"sha256:a","tags":"","outcome":"deleted"`,
	"images":     `"run_id":"r","repository":"app","policy":"p","images":[{"imageDigest":"sha256:a","outcome":"deleted"}]`,
	"repository": `"run_id":"r","repository":"app","policy":"p","deleted":1,"message":""`,
	"finding":    `"run_id":"r","kind":"nothingReferences","repository":"app","message":"{\"msg\":\"image\"}"`,
	"panic":      `"run_id":"r","repository":"app","message":"the program is faulty","stack":"goroutine 1"`,
	"run":        `"run_id":"r","mode":"apply","totals":{"deleted":1},"calls":{}`,
	"metrics":    `"run_id":"r","_aws":{},"FunctionName":"f","ImagesDeleted":1`,
	"suspicious": `"document":"configuration","problem":"1:2: protect"`,
	"plan does not consider all of the configuration": `"fields":["report.s3"]`,
}

func ownLine(message string) string {
	return fmt.Sprintf(`{"time":"2026-11-22T03:00:00Z","level":"INFO","msg":%q,%s}`, message, ownLines[message])
}

func TestEveryLineOfTheCleanerIsRead(t *testing.T) {
	t.Parallel()
	for message := range ownLines {
		for name, text := range map[string]string{
			"bare":           ownLine(message),
			"after a prefix": "2026-11-22T03:00:00.000Z " + ownLine(message),
			"in an event":    fmt.Sprintf(`{"timestamp":1,"message":%q}`, ownLine(message)),
		} {
			a := read(t, "", text)
			if a.Lines.Read != 1 || a.Lines.Others != 0 || a.Lines.Unreadable != 0 {
				t.Errorf("%s, %s: lines %+v", message, name, a.Lines)
			}
			if listed := a.Totals.Deleted + a.Totals.Unknown; listed > 0 != (message == "image" || message == "intent") {
				t.Errorf("%s, %s: totals %+v", message, name, a.Totals)
			}
			awstest.Equal(t, message+", "+name+": runs", strings.Contains(ownLines[message], "run_id"), len(a.Runs) > 0)
		}
	}
}

func TestLinesOfOtherProgramsWithOurMessages(t *testing.T) {
	t.Parallel()
	for message := range ownLines {
		if message == "intent" || message == "image" {
			continue // these lines are reported as unreadable
		}
		a := read(t, "", fmt.Sprintf(`{"time":"2026-11-22T03:00:00Z","msg":%q,"user":"x"}`, message))
		if a.Lines.Read != 0 || a.Lines.Others != 1 || len(a.Runs) != 0 {
			t.Errorf("%s: %+v", message, a)
		}
	}
}

// TestOwnLinesAreAllThatTheSourceHas finds the messages of all log lines in the source.
func TestOwnLinesAreAllThatTheSourceHas(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, root := range []string{"../../internal", "../../cmd"} {
		err := filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
				messages(t, file, found)
			}
			return err
		})
		awstest.NoError(t, err)
	}
	awstest.Equal(t, "messages of the test and of the source", slices.Sorted(maps.Keys(ownLines)), slices.Sorted(maps.Keys(found)))
}

// messages finds calls such as log.LogAttrs(ctx, level, "message") and h.Log.Warn("message").
func messages(t *testing.T, file string, found map[string]bool) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	awstest.NoError(t, err)
	if !slices.ContainsFunc(tree.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"log/slog"` }) {
		return
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		at, logs := map[string]int{
			"LogAttrs": 2, "Log": 2, "Debug": 0, "Info": 0, "Warn": 0, "Error": 0,
			"DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1,
		}[method.Sel.Name]
		if !logs || len(call.Args) <= at {
			return true
		}
		if literal, ok := call.Args[at].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			message, err := strconv.Unquote(literal.Value)
			awstest.NoError(t, err)
			found[message] = true
		}
		return true
	})
}
