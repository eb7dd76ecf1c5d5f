// Package examples_test tests the configurations and policies of examples, of the README
// and of docs/recipes.md. Each is valid, without a warning, and gives the images in
// testdata the verdicts there.
package examples_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/convert"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

var now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func TestExamples(t *testing.T) {
	t.Parallel()
	readme := string(readFile(t, "README.md"))
	cases := corpus.Read(t, "testdata", "images", "want")
	for name := range corpus.Files(t, "*.json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, ok := cases[name]
			if !ok {
				t.Fatalf("testdata has no file for %s.json", name)
			}
			policy, kind := readPolicy(t, name+".json", strings.TrimSpace(string(c.Comment)))
			c.Want(t, "want", corpus.Lines(evaluator.Evaluate(policy, images(t, c.Sections["images"]), now)))
			awstest.Contains(t, readme, fmt.Sprintf("| [%[1]s.json](%[1]s.json) | %s |", name, kind))
		})
	}
}

// readPolicy returns the policy that the repository gets.
func readPolicy(t *testing.T, file, repository string) (policy lifecycle.Policy, kind string) {
	t.Helper()
	text := readFile(t, file)
	if !strings.Contains(string(text), `"policies"`) {
		if policy, problems := lifecycle.ParseText(text); len(problems) == 0 {
			return policy, "policy"
		}
		policy, problems := lifecycle.Parse(text, lifecycle.Extended)
		awstest.Empty(t, "problems", problems)
		return policy, "extended policy"
	}
	c, problems := config.Parse(text)
	awstest.Empty(t, "problems", problems)
	entry, err := c.Entry(repository, func() (map[string]string, error) { return nil, nil })
	if err != nil || entry == nil || entry.Source != config.Inline {
		t.Fatalf("no policy of the configuration is for %s (%v)", repository, err)
	}
	return entry.Policy, "configuration"
}

// convert converts the policies for which the README says so, and no configuration.
func TestConvertTakesWhatTheReadmeSays(t *testing.T) {
	t.Parallel()
	for row := range strings.Lines(string(readFile(t, "README.md"))) {
		file, _, isRow := strings.Cut(strings.TrimPrefix(row, "| ["), "]")
		if !isRow || !strings.HasPrefix(row, "| [") {
			continue
		}
		_, whole := convert.Policy(readFile(t, file))
		if _, kind := readPolicy(t, file, repositoryOf(t, file)); (whole.Err() == nil) != (kind == "policy") {
			t.Errorf("%s: convert says of the file %v", file, whole.Err())
		} else if kind == "policy" {
			continue
		}
		policy, _ := readPolicy(t, file, repositoryOf(t, file))
		text, err := policy.MarshalJSON()
		awstest.NoError(t, err)
		_, problems := convert.Policy(text)
		if says := strings.Contains(row, "`ecrclean convert` converts its `policy`, saved as a file"); says != (problems.Err() == nil) || !says && strings.Contains(row, "convert") {
			t.Errorf("%s: the README says that convert converts the policy: %t; convert says %v", file, says, problems.Err())
		}
	}
}

// repositoryOf returns the repository of an example: the comment of its file in testdata.
func repositoryOf(t *testing.T, file string) string {
	t.Helper()
	c := corpus.Read(t, "testdata", "images", "want")[strings.TrimSuffix(file, ".json")]
	return strings.TrimSpace(string(c.Comment))
}

func images(t *testing.T, table string) []evaluator.Image {
	t.Helper()
	var images []evaluator.Image
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		cells := strings.Fields(line)
		if i == 0 {
			continue // the names of the columns
		}
		if len(cells) != 4 {
			t.Fatalf("%q has %d cells, want 4", line, len(cells))
		}
		im := evaluator.Image{Digest: cells[0], Status: evaluator.Active, PushedAt: evaluator.At(ago(t, cells[1]))}
		if cells[2] != "-" {
			im.LastRecordedPullTime = evaluator.At(ago(t, cells[2]))
		}
		if cells[3] != "-" {
			im.Tags = strings.Split(cells[3], ",")
		}
		images = append(images, im)
	}
	return images
}

func ago(t *testing.T, age string) time.Time {
	t.Helper()
	days, err := strconv.Atoi(strings.TrimSuffix(age, "d"))
	if err != nil {
		t.Fatalf("%q is no number of days", age)
	}
	return now.AddDate(0, 0, -days)
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	return corpus.File(t, name)
}
