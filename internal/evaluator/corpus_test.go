package evaluator_test

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// cases returns the cases of the corpus by name.
func cases(t *testing.T) map[string]corpusCase {
	t.Helper()
	cases := map[string]corpusCase{}
	for folder, dialect := range map[string]lifecycle.Dialect{"": lifecycle.AWS, "extended": lifecycle.Extended} {
		for name, file := range corpus.Read(t, path.Join("testdata", folder), sections...) {
			c, err := parseCase(file, dialect)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			cases[path.Join(folder, name)] = c
		}
	}
	return cases
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Want(t, "want", c.verdicts())
		})
	}
}

// check reads the text of a case and reports whether its verdicts are the expected ones.
func check(text string) bool {
	file, err := corpus.Parse([]byte(text), sections...)
	if err != nil {
		return false
	}
	c, err := parseCase(file, lifecycle.AWS)
	return err == nil && c.verdicts() == c.Sections["want"]
}

func TestCorpusRejects(t *testing.T) {
	t.Parallel()
	const (
		head   = "A sentence.\nhttps://docs.aws.amazon.com/x\nnow: 2026-03-01T00:00:00Z\n"
		policy = `-- policy.json --
{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}
`
		images = "-- images --\n# digest  pushed  tags\nsha256:a  1d  x\n"
		want   = "-- want --\nsha256:a  keep  rule 1  matched by rule 1, not marked: newest of 1 image, rule keeps 1\n"
	)
	if !check(head + policy + images + want) {
		t.Fatal("the base case is rejected")
	}
	tests := map[string]string{
		"no now":                  strings.Replace(head, "now:", "later:", 1) + policy + images + want,
		"no link":                 strings.Replace(head, "https:", "file:", 1) + policy + images + want,
		"unknown section":         head + policy + images + want + "-- wants --\n",
		"repeated section":        head + policy + images + want + images,
		"no policy":               head + images + want,
		"bad policy":              head + strings.Replace(policy, "any", "some", 1) + images + want,
		"extension":               head + strings.Replace(policy, `"countType"`, `"tagExcludePatternList": ["x"], "countType"`, 1) + images + want,
		"no images":               head + policy + want,
		"no header":               head + policy + strings.Replace(images, "# ", "", 1) + want,
		"unknown column":          head + policy + strings.Replace(images, "tags", "labels", 1) + want,
		"missing cell":            head + policy + strings.Replace(images, "  x", "", 1) + want,
		"bad age":                 head + policy + strings.Replace(images, "1d", "1 day", 1) + want,
		"repeated digest":         head + policy + images + "sha256:a  2d  y\n" + want,
		"no expectation":          head + policy + images,
		"empty expectation":       head + policy + images + "-- want --\n",
		"image not expected":      head + policy + images + "sha256:b  1d  x\n" + want,
		"expectation of no image": head + policy + images + want + "sha256:b  keep  rule 1  words\n",
		"expectation out of order": head + policy + images + "sha256:b  1d  x\n-- want --\n" +
			"sha256:b  keep    rule 1  matched by rule 1, not marked: newest of 2 images, rule keeps 1\n" +
			"sha256:a  expire  rule 1  2nd newest of 2 images, rule keeps 1\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if check(text) {
				t.Error("is accepted")
			}
		})
	}
}

// A corpusCase is one file of the corpus; testdata/README.md has the format.
type corpusCase struct {
	corpus.Case
	dialect lifecycle.Dialect
	now     time.Time
	policy  lifecycle.Policy
	images  []evaluator.Image
}

// sections are the sections of a case.
var sections = []string{"policy.json", "images", "want"}

// parseCase reads a case. It refuses everything that the format does not define, so that a
// test uses each line of a file.
func parseCase(file corpus.Case, dialect lifecycle.Dialect) (corpusCase, error) {
	c := corpusCase{Case: file, dialect: dialect}
	if err := c.parseComment(string(c.Comment)); err != nil {
		return c, err
	}
	policy, problems := lifecycle.Parse([]byte(c.Sections["policy.json"]), dialect)
	c.policy = policy
	return c, errors.Join(problems.Err(), c.parseImages(rows(c.Sections["images"])))
}

// sources is how a link to the source of a case begins.
var sources = map[lifecycle.Dialect]string{lifecycle.AWS: "https://", lifecycle.Extended: "docs/policies.md#"}

func (c *corpusCase) parseComment(comment string) (err error) {
	if !strings.Contains(comment, "\n"+sources[c.dialect]) {
		return errors.New("the comment links to no source")
	}
	for line := range strings.Lines(comment) {
		if now, ok := strings.CutPrefix(line, "now: "); ok {
			c.now, err = time.Parse(time.RFC3339Nano, strings.TrimSpace(now))
			return err
		}
	}
	return errors.New("the comment has no line that starts with now:")
}

// parseImages reads the table of images. Its first row names the columns.
func (c *corpusCase) parseImages(table [][]string) error {
	if len(table) == 0 || !strings.HasPrefix(table[0][0], "# ") {
		return errors.New("no row of column names, which starts with #")
	}
	columns := slices.Clone(table[0])
	columns[0] = strings.TrimPrefix(columns[0], "# ")
	for _, row := range table[1:] {
		if len(row) != len(columns) {
			return fmt.Errorf("row %q has %d cells for %d columns", row, len(row), len(columns))
		}
		im := evaluator.Image{Status: evaluator.Active}
		for i, cell := range row {
			if err := c.setCell(&im, columns[i], cell); err != nil {
				return fmt.Errorf("row %q: %w", row, err)
			}
		}
		if slices.ContainsFunc(c.images, func(other evaluator.Image) bool { return other.Digest == im.Digest }) {
			return fmt.Errorf("digest %s repeats", im.Digest)
		}
		c.images = append(c.images, im)
	}
	return nil
}

func (c *corpusCase) setCell(im *evaluator.Image, column, cell string) (err error) {
	switch column {
	case "digest":
		im.Digest = cell
	case "tags":
		if cell != "-" {
			im.Tags = strings.Split(cell, ",")
		}
	case "subject":
		if cell != "-" {
			im.SubjectDigest = cell
		}
	case "status":
		im.Status = evaluator.ImageStatus(strings.ToUpper(cell))
	case "pushed":
		im.PushedAt, err = c.parseTime(cell)
	case "pulled":
		im.LastRecordedPullTime, err = c.parseTime(cell)
	case "archived":
		im.LastArchivedAt, err = c.parseTime(cell)
	case "restored":
		im.LastActivatedAt, err = c.parseTime(cell)
	default:
		err = fmt.Errorf("unknown column %q", column)
	}
	return err
}

var agePattern = regexp.MustCompile(`^(-?)(?:(\d+)d)?(.*)$`)

// parseTime reads an instant or an age: days, a Go duration, or both.
func (c *corpusCase) parseTime(cell string) (evaluator.Instant, error) {
	if cell == "-" {
		return 0, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, cell); err == nil {
		return evaluator.At(t), nil
	}
	parts := agePattern.FindStringSubmatch(cell)
	days, rest := parts[2], parts[3]
	d, err := time.ParseDuration(rest)
	if rest == "" && days != "" {
		d, err = 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%q is neither an instant nor an age", cell)
	}
	n, _ := strconv.Atoi("0" + days)
	d += time.Duration(n) * 24 * time.Hour
	if parts[1] == "-" {
		d = -d
	}
	return evaluator.At(c.now.Add(-d)), nil
}

var gap = regexp.MustCompile(` {2,}`)

// rows splits a table into rows, and rows into cells separated by two blanks or more.
func rows(table string) [][]string {
	var out [][]string
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, gap.Split(line, -1))
		}
	}
	return out
}

// verdicts evaluates the case. It returns one verdict per line, with the cells aligned.
func (c *corpusCase) verdicts() string {
	var table [][]string
	var widths [4]int
	for _, v := range evaluator.Evaluate(c.policy, c.images, c.now) {
		cells := strings.SplitN(v.String(), "  ", len(widths))
		for i, cell := range cells {
			widths[i] = max(widths[i], len(cell))
		}
		table = append(table, cells)
	}
	var b strings.Builder
	for _, row := range table {
		fmt.Fprintf(&b, "%-*s  %-*s  %-*s  %s\n", widths[0], row[0], widths[1], row[1], widths[2], row[2], row[3])
	}
	return b.String()
}
