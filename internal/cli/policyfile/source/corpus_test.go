package source_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A spelling writes a policy into a file. Shifted returns the place in the file for a place in
// the text. It is nil if the file has other line breaks.
type spelling struct {
	file    string
	write   func(text string) string
	shifted func(line, column int) (int, int)
}

func indented(text string) string { return "      " + strings.ReplaceAll(text, "\n", "\n      ") }

var spellings = map[string]spelling{
	"heredoc": {
		"main.tf", func(text string) string {
			return "resource \"aws_ecr_lifecycle_policy\" \"app\" {\n  policy = <<EOF\n" + text + "\nEOF\n}\n"
		},
		func(line, column int) (int, int) { return line + 2, column },
	},
	"indented heredoc": {
		"main.tf", func(text string) string {
			return "resource \"aws_ecr_lifecycle_policy\" \"app\" {\n  policy = <<-EOF\n" + indented(text) + "\n  EOF\n}\n"
		},
		func(line, column int) (int, int) { return line + 2, column + 6 },
	},
	"jsonencode": { // JSON is an expression of HCL
		"main.tf", func(text string) string {
			return "resource \"aws_ecr_lifecycle_policy\" \"app\" {\n  policy = jsonencode(\n" + text + "\n)\n}\n"
		},
		func(line, column int) (int, int) { return line + 2, column },
	},
	"string": {
		"main.tf", func(text string) string {
			return `resource "aws_ecr_lifecycle_policy" "app" { policy = ` + quoted(text) + " }\n"
		}, nil,
	},
	"literal block": {
		"template.yaml", func(text string) string {
			return "Resources:\n  App:\n   Type: AWS::ECR::RepositoryCreationTemplate\n   Properties:\n    LifecyclePolicy: |2\n" + indented(strings.TrimRight(text, "\n")) + "\n"
		},
		func(line, column int) (int, int) { return line + 5, column + 6 },
	},
	"template in JSON": {
		"App.template.json", func(text string) string {
			return `{"Resources": {"App": {"Type": "AWS::ECR::Repository", "Properties": {"LifecyclePolicy": {"LifecyclePolicyText": ` + quoted(text) + `}}}}}`
		}, nil,
	},
}

func quoted(text string) string {
	b, _ := json.Marshal(text) // a string has a JSON text
	return string(b)
}

// lines returns the problems without their places, and their places.
func lines(problems jsondoc.Problems, place func(line, column int) (int, int)) (messages, places []string) {
	for _, p := range problems {
		messages = append(messages, p.Path+": "+p.Message)
		if place != nil {
			line, column := place(p.Line, p.Column)
			places = append(places, fmt.Sprintf("%d:%d: %s", line, column, p.Path))
		}
	}
	return messages, places
}

// A published policy has the same problems in each spelling, and at the same place.
func TestPublishedPoliciesAreTheSameInEachSpelling(t *testing.T) {
	t.Parallel()
	folder := "../../../lifecycle/testdata/corpus"
	if whole := os.Getenv("ECR_CLEANER_CORPUS"); whole != "" {
		folder = whole
	}
	asIs := func(line, column int) (int, int) { return line, column }
	for name, content := range corpus.Files(t, filepath.Join(folder, "*.json")) {
		text := string(content)
		if _, err := strconv.Atoi(name); (err != nil && folder == os.Getenv("ECR_CLEANER_CORPUS")) || name == "index" || !json.Valid(content) {
			continue // it is no policy, or no JSON
		}
		for kind, s := range spellings {
			found := read(t, s.file, s.write(text))
			if len(found) != 1 || found[0].Text == nil {
				t.Errorf("%s as %s: not read: %v", name, kind, found)
				continue
			}
			if kind == "jsonencode" && len(jsondoc.Parse(content).Problems()) > 0 {
				continue
			}
			_, want := lifecycle.Parse(content, lifecycle.Extended)
			_, got := lifecycle.Parse(found[0].Text, lifecycle.Extended)
			wantMessages, wantPlaces := lines(want, s.shifted)
			gotMessages, gotPlaces := lines(found[0].InFile(got), asIs)
			if diff := cmp.Diff(wantMessages, gotMessages); diff != "" {
				t.Errorf("%s as %s: (-want +got)\n%s", name, kind, diff)
			}
			if diff := cmp.Diff(wantPlaces, gotPlaces); s.shifted != nil && diff != "" {
				t.Errorf("%s as %s: places (-want +got)\n%s", name, kind, diff)
			}
		}
	}
}
