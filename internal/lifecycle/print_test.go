package lifecycle_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func TestPrintedPolicyIsReadAsEqual(t *testing.T) {
	t.Parallel()
	all := texts(t, "valid")
	for _, folder := range []string{"warning", "extended/valid", "extended/warning"} {
		for name, text := range texts(t, folder) {
			all[folder+"/"+name] = text
		}
	}
	for name, text := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dialect := lifecycle.AWS
			if strings.HasPrefix(name, "extended/") {
				dialect = lifecycle.Extended
			}
			want, _ := lifecycle.Parse(text, dialect)
			for style, print := range map[string]func(lifecycle.Policy) ([]byte, error){
				"MarshalJSON":   lifecycle.Policy.MarshalJSON,
				"json.Marshal":  func(p lifecycle.Policy) ([]byte, error) { return json.Marshal(p) },
				"MarshalIndent": func(p lifecycle.Policy) ([]byte, error) { return json.MarshalIndent(p, "", "    ") },
			} {
				printed, err := print(want)
				if err != nil {
					t.Fatalf("%s: %v", style, err)
				}
				got, ps := lifecycle.Parse(printed, dialect)
				if diff := cmp.Diff(want, got); diff != "" || ps.Err() != nil {
					t.Errorf("%s is read differently (-want +got):\n%s%v", style, diff, ps)
				}
			}
		})
	}
}

func TestPrintedPolicyIsShort(t *testing.T) {
	t.Parallel()
	text := `{"rules":[` +
		`{"rulePriority":2,"description":"<old> & gone","selection":{"tagStatus":"tagged","tagPatternList":["v*","*-x"],` +
		`"countType":"sinceImagePulled","countUnit":"days","countNumber":30},` +
		`"action":{"type":"transition","targetStorageClass":"archive"}},` +
		`{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPrefixList":["w"],"countType":"imageCountMoreThan","countNumber":3},` +
		`"action":{"type":"expire"}},` +
		`{"rulePriority":9,"selection":{"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned",` +
		`"countUnit":"days","countNumber":90},"action":{"type":"expire"}}]}`
	written := strings.Replace(text, `"imageCountMoreThan"`, `"imageCountMoreThan", "storageClass": "standard"`, 1)
	wantPrinted(t, text, strings.ReplaceAll(written, ",", " ,\r\n"), lifecycle.AWS)
}

// wantPrinted checks that the policy that was written is printed as the text.
func wantPrinted(t *testing.T, text, written string, dialect lifecycle.Dialect) {
	t.Helper()
	p, ps := lifecycle.Parse([]byte(written), dialect)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	got, err := p.MarshalJSON()
	if err != nil || string(got) != text {
		t.Errorf("MarshalJSON() = %s, %v\nwant %s", got, err, text)
	}
}

func TestPrintedExtensions(t *testing.T) {
	t.Parallel()
	text := `{"rules":[` +
		`{"rulePriority":1,"selection":{"tagStatus":"tagged","tagRegexList":["v\\d+","<x>"],"tagMatch":"any",` +
		`"tagExcludePatternList":["*-rc"],"storageClass":"archive"},"action":{"type":"retain"}},` +
		`{"rulePriority":4,"selection":{"tagStatus":"tagged","countType":"sinceImagePulled","countUnit":"days",` +
		`"countNumber":9,"keepNewest":3},"action":{"type":"expire"}},` +
		`{"rulePriority":3,"selection":{"tagStatus":"tagged","tagPatternList":["a","b"],"countType":"imageCountMoreThan",` +
		`"countNumber":1},"action":{"type":"untag"}}]}`
	written := strings.Replace(text, `"tagPatternList":["a","b"]`, `"tagMatch": "all", "tagPatternList": ["a","b"]`, 1)
	wantPrinted(t, text, written, lifecycle.Extended)
}

func TestZeroPolicyPrintsAsJSON(t *testing.T) {
	t.Parallel()
	got, err := lifecycle.Policy{}.MarshalJSON()
	if want := `{"rules":[]}`; err != nil || string(got) != want {
		t.Errorf("MarshalJSON() = %s, %v, want %s", got, err, want)
	}
}
