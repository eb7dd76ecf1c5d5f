package config

import (
	"fmt"
	"slices"
	"strings"
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
		for _, field := range e.Settings.unsupported() {
			if !slices.Contains(general, field) {
				fields = append(fields, path+field)
			}
		}
	}
	return append(fields, c.Report.unsupported()...)
}

func (s Settings) unsupported() []string {
	var fields []string
	for _, source := range s.Protect.InUse {
		if source != "ecs" && source != "lambda" {
			fields = append(fields, fmt.Sprintf("protect.inUse %q (take it out)", source))
		}
	}
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
