package repo_test

// What the laws read of the repository.

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A source is one Go file that is not a test.
type source struct {
	path   string // from the root, with slashes
	syntax *ast.File
}

func (s source) dir() string { return path.Dir(s.path) }

func (s source) imports() []string {
	paths := make([]string, len(s.syntax.Imports))
	for i, im := range s.syntax.Imports {
		paths[i], _ = strconv.Unquote(im.Path.Value)
	}
	return paths
}

// files returns the files of the repository, without what tools put there.
func files(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".bin", ".aws-sam", "dist", "__pycache__"}, d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular():
			found = append(found, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sources parses the product's Go files. The tools are a module of their own.
func sources(t *testing.T) []source {
	t.Helper()
	var parsed []source
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "tools/") || strings.Contains(name, "/testdata/") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, source{name, syntax})
	}
	return parsed
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goCommand returns the lines that the go command prints.
func goCommand(t *testing.T, env []string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// linked returns the packages in the Lambda function, but for the standard
// library.
func linked(t *testing.T) []string {
	t.Helper()
	return goCommand(t, []string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"},
		"list", "-deps", "-tags", "lambda.norpc", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/cleaner")
}

// actions returns the IAM actions behind the interfaces of a file that are
// named API or end so: each method that takes an *ecr.XInput and each embedded
// ecr.XAPIClient is ecr:X.
func actions(file *ast.File) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !strings.HasSuffix(spec.Name.Name, "API") {
			return true
		}
		api, ok := spec.Type.(*ast.InterfaceType)
		if !ok {
			return true
		}
		ast.Inspect(api, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			for _, suffix := range []string{"Input", "APIClient"} {
				if name, isCall := strings.CutSuffix(selector.Sel.Name, suffix); isCall {
					found = append(found, selector.X.(*ast.Ident).Name+":"+name)
				}
			}
			return true
		})
		return false
	})
	return found
}

// operations returns the operations that a file calls without the SDK's client: the first
// argument after the context of methods named Get and Post.
func operations(file *ast.File) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		method, isMethod := call.Fun.(*ast.SelectorExpr)
		text, isText := call.Args[1].(*ast.BasicLit)
		if isMethod && isText && (method.Sel.Name == "Get" || method.Sel.Name == "Post") {
			found = append(found, strings.Trim(text.Value, `"`))
		}
		return true
	})
	return found
}

// code returns what a Markdown text marks as code, inline or in blocks.
func code(markdown string) string {
	var b strings.Builder
	for i, part := range strings.Split(markdown, "```") {
		if i%2 == 1 {
			b.WriteString(part + "\n")
			continue
		}
		for j, inline := range strings.Split(part, "`") {
			if j%2 == 1 {
				b.WriteString(inline + "\n")
			}
		}
	}
	return b.String()
}

// makeTargets returns the help text of each target of the Makefile.
func makeTargets(t *testing.T) map[string]string {
	t.Helper()
	targets := map[string]string{}
	for line := range strings.Lines(read(t, "Makefile")) {
		name, rest, isRule := strings.Cut(strings.TrimSpace(line), ":")
		variable := strings.Contains(strings.Split(rest, "##")[0], "=")
		if !isRule || variable || line[0] == '\t' || strings.ContainsAny(name, " .#(") {
			continue
		}
		_, targets[name], _ = strings.Cut(rest, "## ")
	}
	return targets
}
