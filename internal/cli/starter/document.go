package starter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A draft has the contents of a starter configuration.
type draft struct {
	header           []string // comments, one a line
	include, exclude []string // patterns, or nil
	groups           []group
	attached         []string // repositories with an attached policy
	unknown          []string // repositories whose attached policy is not known, and why
	sources          []source
	shared           []string // repositories from which other accounts may pull, and who
}

// A group are repositories that get one entry.
type group struct {
	name, pattern string
	repositories  []string
	counts        counts
}

const (
	maxGroups   = 15
	maxSeen     = 8 // patterns of tags in a comment
	maxProposed = 4 // rules
	maxShared   = 20
)

// groupsOf returns a group for each first segment that several of the names have, at most
// maxGroups of them, and one for the rest.
func groupsOf(names []string) []group {
	bySegment := map[string][]string{}
	for _, name := range names {
		segment, _, nested := strings.Cut(name, "/")
		if !nested {
			segment = ""
		}
		bySegment[segment] = append(bySegment[segment], name)
	}
	var groups []group
	rest := group{name: "other repositories", pattern: "*"}
	segments := slices.SortedFunc(maps.Keys(bySegment), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(bySegment[b]), len(bySegment[a])), cmp.Compare(a, b))
	})
	for _, segment := range segments {
		repositories := bySegment[segment]
		if segment == "" || len(repositories) < 2 || len(groups) == maxGroups {
			rest.repositories = append(rest.repositories, repositories...)
			continue
		}
		groups = append(groups, group{name: segment, pattern: segment + "/*", repositories: repositories})
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.name, b.name) })
	if len(rest.repositories) > 0 {
		groups = append(groups, rest)
	}
	return groups
}

// text returns the configuration as JSON with comments.
func (d *draft) text() []byte {
	var out text.Lines
	for _, line := range d.header {
		out.Addf("%s", strings.TrimRight("// "+line, " "))
	}
	out.Addf("{")
	d.selection(&out)
	out.Addf(`  "policies": [`)
	var entries []string
	if len(d.attached) > 0 {
		entries = append(entries, d.attachedEntry())
	}
	if len(d.unknown) > 0 {
		comment(&out, 4, "It is not known whether a lifecycle policy is attached to %s. The first: %s",
			text.Count(len(d.unknown), "repository"), d.unknown[0])
	}
	for i := range d.groups {
		entries = append(entries, d.groups[i].entry())
	}
	out.WriteString(strings.Join(entries, ",\n") + "\n")
	out.Addf("  ],")
	d.protect(&out)
	comment(&out, 2, "A run that would delete more than this percentage of a repository deletes nothing there.")
	out.Addf(`  "limits": {"maxDeletedPercent": 50}`)
	out.Addf("}")
	return []byte(out.String())
}

// comment writes a comment in lines of at most about a hundred columns.
func comment(out *text.Lines, indent int, format string, args ...any) {
	const width = 96
	margin := strings.Repeat(" ", indent) + "//"
	line := margin
	for word := range strings.FieldsSeq(fmt.Sprintf(format, args...)) {
		if line != margin && len(line)+len(word) > width {
			out.Addf("%s", line)
			line = margin
		}
		line += " " + word
	}
	out.Addf("%s", line)
}

func (d *draft) selection(out *text.Lines) {
	if d.include == nil && d.exclude == nil {
		return
	}
	include := d.include
	if include == nil {
		include = []string{"*"}
	}
	out.Addf(`  "repositories": {"include": %s, "exclude": %s},`, list(include), list(d.exclude))
}

// list returns a JSON array of the texts.
func list(texts []string) string { return "[" + joined(texts, ", ") + "]" }

// joined returns the texts as JSON, with a separator.
func joined(texts []string, separator string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = text.Printable(string(jsondoc.AppendString(nil, t)))
	}
	return strings.Join(quoted, separator)
}

func (d *draft) attachedEntry() string {
	var out text.Lines
	comment(&out, 4, "A lifecycle policy is attached to %s. ECR itself applies it, also to images in use. "+
		"A run with this entry applies the same policy, with protection. To move the policies into a configuration "+
		"and to detach them, see: ecrclean adopt --help", text.Count(len(d.attached), "repository"))
	out.Addf(`    {"name": "attached", "policy": "attached", "repositories": [`)
	names := d.attached
	if len(d.groups) == 0 {
		names = []string{"*"}
	}
	return out.String() + "      " + joined(names, ",\n      ") + "\n    ]}"
}

// entry returns the entry of the group with its comments. Each proposed rule is a comment.
func (g *group) entry() string {
	var out text.Lines
	c := &g.counts
	comment(&out, 4, "%s: %s, %s %s, %s", g.pattern, text.Count(len(g.repositories), "repository"),
		humanize.Comma(int64(c.images)), english.PluralWord(c.images, "image", ""), humanize.Bytes(uint64(max(c.bytes, 0))))
	if len(g.repositories) <= maxSeen {
		comment(&out, 4, "Repositories: %s", strings.Join(g.repositories, ", "))
	}
	comment(&out, 4, "Images by tag: %s", c.seen())
	out.Addf(`    {"name": %s, "repositories": %s, "policy": {"rules": [`, jsondoc.AppendString(nil, g.name), list([]string{g.pattern}))
	out.WriteString(rule("      ", 1, "untagged images", `"tagStatus": "untagged"`))
	proposed := mostFirst(c.proposed)
	for i, pattern := range proposed[:min(len(proposed), maxProposed)] {
		comment(&out, 6, "Proposal: delete images tagged %s after %d days, except the %d newest of each repository. "+
			"This would delete %s of %s images, unless they are protected. To use it, remove the // of the next three lines.",
			pattern, days, keep, humanize.Comma(int64(c.proposed[pattern])), humanize.Comma(int64(c.patterns[pattern])))
		selection := fmt.Sprintf(`"tagStatus": "tagged", "tagPatternList": %s, "tagExcludePatternList": %s, "keepNewest": %d`,
			list([]string{pattern}), list(released), keep)
		out.WriteString(rule("      // , ", i+2, pattern, selection))
	}
	return out.String() + "    ]}}"
}

// rule returns the three lines of a rule that deletes images by age. Each line begins with the
// margin, all but the first without its comma.
func rule(margin string, priority int, what, selection string) string {
	more := strings.Replace(margin, ",", " ", 1)
	return fmt.Sprintf("%s{\"rulePriority\": %d, \"description\": \"%s, %d days after the push\", \"action\": {\"type\": \"expire\"},\n",
		margin, priority, what, days) +
		fmt.Sprintf("%s \"selection\": {%s,\n", more, selection) +
		fmt.Sprintf("%s   \"countType\": \"sinceImagePushed\", \"countUnit\": \"days\", \"countNumber\": %d}}\n", more, days)
}

// seen lists the most frequent patterns of tags.
func (c *counts) seen() string {
	parts := []string{fmt.Sprintf("without tags: %s", humanize.Comma(int64(c.untagged)))}
	patterns := mostFirst(c.patterns)
	for _, pattern := range patterns[:min(len(patterns), maxSeen)] {
		parts = append(parts, fmt.Sprintf("%s: %s", pattern, humanize.Comma(int64(c.patterns[pattern]))))
	}
	if more := len(patterns) - maxSeen; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more %s", more, english.PluralWord(more, "pattern", "")))
	}
	return strings.Join(parts, ", ")
}

// mostFirst returns the keys whose value is not 0, the greatest value first.
func mostFirst(counts map[string]int) []string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return slices.DeleteFunc(keys, func(key string) bool { return counts[key] == 0 })
}

func (d *draft) protect(out *text.Lines) {
	comment(out, 2, "Images in use are never deleted, nor images pulled in the last 7 days, pushed in the last "+
		"24 hours or tagged latest, nor the newest image of a repository.")
	out.Addf(`  "protect": {`)
	out.Addf(`    "inUse": [`)
	separator := ""
	for _, s := range d.sources {
		comment(out, 6, "%s: %s", s.name, s.comment())
		if !s.queried() {
			out.Addf("      // %s%q", separator, s.name)
			continue
		}
		out.Addf("      %s%q", separator, s.name)
		separator = ", "
	}
	out.Addf("    ],")
	if names := parameters(d.sources); len(names) > 0 {
		comment(out, 4, "The function may query these services only with the parameters of its template: %s", strings.Join(names, " "))
	}
	if len(d.shared) > 0 {
		comment(out, 4, "Other accounts may pull from the repositories below. Create deploy/member-role.yaml in each account, and name "+
			`its role here: "accounts": [{"roleArn": "arn:aws:iam::ACCOUNT:role/ecr-cleaner-member"}]. Or write a list of the `+
			"images that the account uses with its credentials (ecrclean references --out s3://BUCKET/ACCOUNT.json), and name it in "+
			"references. Without one of them, the use of an image there is not known.")
	}
	for _, line := range d.shared[:min(len(d.shared), maxShared)] {
		comment(out, 4, "- %s", line)
	}
	if more := len(d.shared) - maxShared; more > 0 {
		comment(out, 4, "- and %d more", more)
	}
	out.Addf(`    "references": []`)
	out.Addf("  },")
}
