package config

import (
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

// Unsupported names the fields of the configuration that this version does not
// carry out yet, each with the value that does without it. A run that removes
// anything must refuse such a configuration: what is left out unseen is missed
// too late.
func (c Config) Unsupported() []string {
	r := c.Report
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
