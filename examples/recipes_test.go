package examples_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

const (
	recipesPage = "../docs/recipes.md"
	readmePage  = "../README.md"
)

// program is ecrclean, built for these tests.
var program string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	program = filepath.Join(dir, "ecrclean")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/ecrclean").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A section is the text below one heading of a page.
type section struct{ heading, text string }

func sections(t *testing.T, page string) []section {
	t.Helper()
	var all []section
	for _, part := range strings.Split(string(readFile(t, page)), "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		all = append(all, section{heading, text})
	}
	return all
}

// blocks returns the JSON blocks of the section.
func (s section) blocks() [][]byte {
	var all [][]byte
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(s.text, -1) {
		all = append(all, []byte(block[1]))
	}
	return all
}

// fixture returns the file of a recipe in testdata/recipes, named after its heading.
func (s section) fixture() string {
	name := regexp.MustCompile("[^a-z0-9]+").ReplaceAllString(strings.ToLower(s.heading), "-")
	return filepath.Join("testdata", "recipes", strings.Trim(name, "-")+".txtar")
}

// TestRecipes plans each recipe on the images of its fixture, and compares the verdicts.
// The comment of the fixture is what the page says that the recipe deletes and keeps.
func TestRecipes(t *testing.T) {
	t.Parallel()
	unused, err := filepath.Glob(filepath.Join("testdata", "recipes", "*"))
	awstest.NoError(t, err)
	recipes := sections(t, recipesPage)
	if len(recipes) != len(unused) {
		t.Errorf("%d recipes, %d fixtures", len(recipes), len(unused))
	}
	for _, s := range recipes {
		t.Run(s.heading, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(s.fixture())
			awstest.NoError(t, err)
			if says := strings.TrimSpace(string(archive.Comment)); !strings.Contains(s.text, strings.TrimSuffix(says, ".")) {
				t.Errorf("the recipe does not say %q", says)
			}
			blocks := s.blocks()
			if len(blocks) != 1 {
				t.Fatalf("%d JSON blocks, want one policy or complete configuration", len(blocks))
			}
			configuration, options := "{}", s.options()
			if bytes.HasPrefix(blocks[0], []byte(`{"rules"`)) {
				check(t, blocks[0], "--dialect", "extended", "-")
				options = append(options, "--policy", "-")
			} else {
				checkConfiguration(t, blocks[0])
				configuration = string(blocks[0])
			}
			checkPlan(t, archive, blocks[0], append(options, "--config", configuration)...)
		})
	}
}

// checkConfiguration requires that the tool finds neither a fault nor a likely mistake.
func checkConfiguration(t *testing.T, configuration []byte) {
	t.Helper()
	check(t, configuration, "--config", "-")
}

func check(t *testing.T, input []byte, args ...string) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"check"}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "warning") {
		t.Errorf("check: %v\n%s", err, out)
	}
}

// options returns the options of the section's own plan of policy.json.
func (s section) options() []string {
	_, line, _ := strings.Cut(s.text, "\necrclean plan --policy policy.json ")
	line, _, _ = strings.Cut(line, "\n")
	return strings.Fields(line)
}

// checkPlan compares the plan with the last column of the images.
func checkPlan(t *testing.T, archive *txtar.Archive, input []byte, options ...string) {
	t.Helper()
	server := httptest.NewServer(newEnvironment(t, archive))
	defer server.Close()
	cmd := exec.Command(program, append([]string{"plan", "--output", "json"}, options...)...)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_REGION=eu-west-1", "AWS_PROFILE=",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true")
	var message bytes.Buffer
	cmd.Stderr = &message
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("plan: %v\n%s\n%s", err, message.String(), out)
	}
	verdicts := verdictsOf(t, out)
	for _, f := range archive.Files {
		if f.Name != "images" {
			continue
		}
		for _, row := range table(string(f.Data)) {
			got := cmp.Or(verdicts[row[0]+" "+digest(row[1])], verdicts[row[0]], "keep (excluded)")
			awstest.Equal(t, "row "+row[0]+" "+row[1]+" of the plan", strings.Join(row[6:], " "), got)
		}
	}
}

// verdictsOf reads a report: what happens to the listed images, by repository and digest,
// and to all other images, by repository.
func verdictsOf(t *testing.T, report []byte) map[string]string {
	t.Helper()
	var r struct {
		Incomplete   bool
		Repositories []struct {
			Name, Skipped string
			Images        []struct {
				ImageDigest, Verdict string
				ProtectedBy          []struct{ Kind string }
			}
		}
	}
	awstest.NoError(t, json.Unmarshal(report, &r))
	if r.Incomplete {
		t.Errorf("the plan is incomplete:\n%s", report)
	}
	verdicts := map[string]string{}
	for _, repository := range r.Repositories {
		verdicts[repository.Name] = "keep"
		if repository.Skipped != "" {
			verdicts[repository.Name] = "keep (" + repository.Skipped + ")"
			continue // after a limit the report has the images all the same
		}
		for _, im := range repository.Images {
			verdict := im.Verdict
			if len(im.ProtectedBy) > 0 {
				verdict = "keep (" + im.ProtectedBy[0].Kind + ")"
			}
			verdicts[repository.Name+" "+im.ImageDigest] = verdict
		}
	}
	return verdicts
}

func TestReadmeShowsTheFirstConfiguration(t *testing.T) {
	t.Parallel()
	shown := readmeBlock(t, "Configure")
	checkConfiguration(t, shown)
	awstest.Equal(t, "start-here.json and the README", decode(t, readFile(t, "start-here.json")), decode(t, shown))
}

// A page explains verdicts with a table: the tags of each image, when it was pushed,
// what each of two rules does, and the verdict. The headings of the columns are the rules.
func TestPageExplainsVerdicts(t *testing.T) {
	t.Parallel()
	page := string(readFile(t, "../docs/policies.md"))
	var rules []string
	for _, m := range regexp.MustCompile("rule (\\d): `(.*?)`, keep (\\d+) ").FindAllStringSubmatch(page, -1) {
		rules = append(rules, fmt.Sprintf(`{"rulePriority": %s, "selection": {"tagStatus": "tagged", "tagPatternList": [%q],
			"countType": "imageCountMoreThan", "countNumber": %s}, "action": {"type": "expire"}}`, m[1], m[2], m[3]))
	}
	policy, problems := lifecycle.ParseText([]byte(`{"rules": [` + strings.Join(rules, ",") + `]}`))
	awstest.Empty(t, "problems", problems)
	text, want := "# digest pushed pulled tags\n", []string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (.*?) \| (\d+) days ago \|.*\| (expire|keep), (rule \d) \|$`).FindAllStringSubmatch(page, -1) {
		name := strings.ReplaceAll(strings.ReplaceAll(m[1], "` `", ","), "`", "")
		text += name + " " + m[2] + "d - " + name + "\n"
		want = append(want, name+"  "+m[3]+"  "+m[4]+"  ")
	}
	if len(rules) != 2 || len(want) != 3 {
		t.Fatalf("the page has %d rules and %d images, want 2 and 3", len(rules), len(want))
	}
	for i, v := range evaluator.Evaluate(policy, images(t, text), now) {
		if !strings.HasPrefix(v.String(), want[i]) {
			t.Errorf("the page says %q, the verdict is %q", want[i], v)
		}
	}
}

func TestReadmeBlocksAreTested(t *testing.T) {
	t.Parallel()
	awstest.Equal(t, "JSON blocks of the README", 1, bytes.Count(readFile(t, readmePage), []byte("```json")))
}

// readmeBlock returns the one JSON block below a heading of the README.
func readmeBlock(t *testing.T, heading string) []byte {
	t.Helper()
	for _, s := range sections(t, readmePage) {
		if blocks := s.blocks(); s.heading == heading && len(blocks) == 1 {
			return blocks[0]
		}
	}
	t.Fatalf("the README has no section %q with one JSON block", heading)
	return nil
}

// decode returns the document without the members that only editors and people read.
func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var document map[string]any
	text = regexp.MustCompile(`"(description|\$schema)": ".*?",`).ReplaceAll(text, nil)
	awstest.NoError(t, json.Unmarshal(text, &document))
	return document
}
