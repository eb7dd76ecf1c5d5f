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
// images in a way that this version does not carry out yet, each with the
// value that does without it. A run that removes anything must refuse such a
// configuration: to ignore a protection would be to delete.
func (c Config) Unsupported() []string {
	var fields []string
	report := func(present bool, format string, args ...any) {
		field := fmt.Sprintf(format, args...)
		if present && !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	for i, e := range c.Policies {
		path := fmt.Sprintf("policies[%d].", i)
		report(len(e.RepositoryTags) > 0, "%srepositoryTags (select by name)", path)
		if e.Settings.sameFeatures(c.Settings) {
			path = ""
		}
		e.Settings.unsupported(path, report)
	}
	report(c.Report.S3 != "", `report.s3 (set "")`)
	report(c.Report.HTML, "report.html (set false)")
	report(c.Report.SNS != "", `report.sns (set "")`)
	return fields
}

func (s Settings) unsupported(path string, report func(bool, string, ...any)) {
	report(len(s.Protect.InUse) > 0, "%sprotect.inUse %s (set [])", path, strings.Join(s.Protect.InUse, ", "))
	report(len(s.Protect.References) > 0, "%sprotect.references (set [])", path)
	report(s.Orphans == DeleteOrphans, `%sorphans "delete" (set "keep")`, path)
	report(s.OnExpire == ArchiveExpired, `%sonExpire "archive" (set "delete")`, path)
}

// sameFeatures reports whether both settings need the same of these fields, so
// that an entry is not named for what it has from the general settings.
func (s Settings) sameFeatures(general Settings) bool {
	return slices.Equal(s.Protect.InUse, general.Protect.InUse) &&
		slices.Equal(s.Protect.References, general.Protect.References) &&
		s.Orphans == general.Orphans && s.OnExpire == general.OnExpire
}
