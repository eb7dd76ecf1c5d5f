package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An UnsupportedError says that a configuration cannot be applied, because it
// asks for what this version does not do yet.
type UnsupportedError struct {
	// Fields names what it asks for, each with the value that does without.
	Fields []string
}

func (e *UnsupportedError) Error() string {
	return "configuration: apply does not support these yet: " + strings.Join(e.Fields, "; ")
}

// Unsupported names the fields of the configuration that protect or remove
// images in a way that this version does not carry out yet, each once and with
// the value that does without it. A run that removes anything must refuse such
// a configuration: to ignore a protection would be to delete. The general
// settings count even if every entry replaces them, since they protect the
// repositories that no entry selects from removal by name.
func (c Config) Unsupported() []string {
	general := c.Settings.unsupported()
	fields := slices.Clone(general)
	for i, e := range c.Policies {
		path := fmt.Sprintf("policies[%d].", i)
		if len(e.RepositoryTags) > 0 {
			fields = append(fields, path+"repositoryTags (select by name)")
		}
		fields = append(fields, untagging(path, e.Policy)...)
		for _, field := range e.Settings.unsupported() {
			if !slices.Contains(general, field) {
				fields = append(fields, path+field)
			}
		}
	}
	return append(fields, c.Report.unsupported()...)
}

// untagging names the rules that untag, which plans list and apply cannot do
// yet. To support them is to delete this function and its call.
func untagging(path string, policy lifecycle.Policy) []string {
	var fields []string
	for i, r := range policy.Rules {
		if r.Action.Type == lifecycle.Untag {
			fields = append(fields, fmt.Sprintf("%spolicy.rules[%d].action \"untag\" (take the rule out)", path, i))
		}
	}
	return fields
}

func (s Settings) unsupported() []string {
	var fields []string
	if s.OnExpire == ArchiveExpired {
		fields = append(fields, `onExpire "archive" (set "delete")`)
	}
	return fields
}

func (r Report) unsupported() []string {
	var fields []string
	if r.S3 != "" {
		fields = append(fields, `report.s3 (set "")`)
	}
	if r.HTML {
		fields = append(fields, "report.html (set false)")
	}
	if r.SNS != "" {
		fields = append(fields, `report.sns (set "")`)
	}
	return fields
}
