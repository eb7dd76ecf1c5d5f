package config

import (
	"fmt"
	"math"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// MaxBytes is the greatest length of a configuration document.
const MaxBytes = 1 << 20

// Parse reads a configuration document. A missing field, at any level, has its
// default. The problems hold every fault and every warning; the Config is
// usable only when their Err method returns nil.
func Parse(text []byte) (Config, jsondoc.Problems) {
	if len(text) > MaxBytes {
		return Config{}, jsondoc.Problems{{
			Line: 1, Column: 1,
			Message: fmt.Sprintf("has more than %d bytes, which is the most that is read; shorten it", MaxBytes),
		}}
	}
	doc := jsondoc.Parse(text)
	c := Default()
	if o, ok := doc.Root().Object("mode", "repositories", "policies", "protect", "orphans", "onExpire", "limits", "report", "$schema"); ok {
		c.read(o)
		o.Get("$schema").String() // for editors; only its kind is checked
	}
	return c, doc.Problems()
}

func (c *Config) read(o jsondoc.Object) {
	set(&c.Mode, o.Get("mode"), readMode)
	set(&c.Repositories, o.Get("repositories"), readRepositories)
	c.Settings.read(o)
	set(&c.Report, o.Get("report"), readReport)
	c.Policies = readEntries(o.Get("policies"), c.Settings)
}

// set overwrites the target with what read makes of a value that is present.
// The reader gets the present content of the target, that is, the defaults.
func set[T any](target *T, v *jsondoc.Value, read func(*jsondoc.Value, T) T) {
	if v != nil {
		*target = read(v, *target)
	}
}

func readMode(v *jsondoc.Value, mode Mode) Mode { return oneOf(v, mode, Plan, Apply) }

func oneOf[T ~string](v *jsondoc.Value, fallback T, allowed ...T) T {
	if s, ok := jsondoc.OneOf(v, allowed...); ok {
		return s
	}
	return fallback
}

func readRepositories(v *jsondoc.Value, r Repositories) Repositories {
	if o, ok := v.Object("include", "exclude"); ok {
		set(&r.Include, o.Get("include"), readSelection)
		set(&r.Exclude, o.Get("exclude"), readPatterns)
	}
	return r
}

// readSelection reads patterns of which there must be one: an empty selection
// is a mistake more often than a wish.
func readSelection(v *jsondoc.Value, fallback []wildcard.Pattern) []wildcard.Pattern {
	patterns := readPatterns(v, fallback)
	if patterns != nil && len(patterns) == 0 && !v.Faulty() {
		v.Problem(`is empty and selects nothing; leave it out for every repository`)
	}
	return patterns
}

func readPatterns(v *jsondoc.Value, fallback []wildcard.Pattern) []wildcard.Pattern {
	items, ok := v.Array()
	if !ok {
		return fallback
	}
	patterns := []wildcard.Pattern{}
	for _, item := range items {
		text, ok := item.String()
		switch {
		case ok && text == "":
			item.Problem("is empty; use * to match every name")
		case ok:
			patterns = append(patterns, wildcard.Compile(text))
		}
	}
	return patterns
}

func readReport(v *jsondoc.Value, r Report) Report {
	o, ok := v.Object("s3", "html", "sns", "notify")
	if !ok {
		return r
	}
	set(&r.S3, o.Get("s3"), prefixed("s3://"))
	set(&r.SNS, o.Get("sns"), prefixed("arn:"))
	set(&r.Notify, o.Get("notify"), func(v *jsondoc.Value, n string) string {
		return oneOf(v, n, "changes", "always", "failures")
	})
	set(&r.HTML, o.Get("html"), func(v *jsondoc.Value, _ bool) bool { html, _ := v.Bool(); return html })
	return r
}

// prefixed reads a string that is empty or begins with the prefix.
func prefixed(prefix string) func(*jsondoc.Value, string) string {
	return func(v *jsondoc.Value, fallback string) string {
		s, ok := v.String()
		if ok && s != "" && !strings.HasPrefix(s, prefix) {
			v.Problem("must begin with %s or be empty, is %s", prefix, jsondoc.Quote(s))
			return fallback
		}
		return s
	}
}

// read overwrites the settings that stand in the object.
func (s *Settings) read(o jsondoc.Object) {
	set(&s.Protect, o.Get("protect"), readProtect)
	set(&s.Orphans, o.Get("orphans"), func(v *jsondoc.Value, old Orphans) Orphans {
		return oneOf(v, old, KeepOrphans, DeleteOrphans)
	})
	set(&s.OnExpire, o.Get("onExpire"), func(v *jsondoc.Value, old OnExpire) OnExpire {
		return oneOf(v, old, DeleteExpired, ArchiveExpired)
	})
	set(&s.Limits, o.Get("limits"), readLimits)
}

// inUseSources are the services whose references can protect images.
var inUseSources = []string{"ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild"}

func readProtect(v *jsondoc.Value, p Protect) Protect {
	o, ok := v.Object("inUse", "references", "taskDefinitionRevisions", "eksClusters",
		"tagPatterns", "keepNewest", "pulledWithinDays", "pushedWithinHours", "referencesMaxAgeHours", "registryAliases")
	if !ok {
		return p
	}
	set(&p.InUse, o.Get("inUse"), readInUse)
	set(&p.References, o.Get("references"), func(v *jsondoc.Value, _ []string) []string { s, _ := v.Strings(); return s })
	set(&p.TaskDefinitionRevisions, o.Get("taskDefinitionRevisions"), readCount)
	set(&p.EKSClusters, o.Get("eksClusters"), readPatterns)
	set(&p.TagPatterns, o.Get("tagPatterns"), readPatterns)
	set(&p.KeepNewest, o.Get("keepNewest"), readCount)
	set(&p.PulledWithinDays, o.Get("pulledWithinDays"), readCount)
	set(&p.PushedWithinHours, o.Get("pushedWithinHours"), readCount)
	set(&p.ReferencesMaxAgeHours, o.Get("referencesMaxAgeHours"), readMaxAge)
	set(&p.RegistryAliases, o.Get("registryAliases"), readAliases)
	return p
}

// maxAgeHours is the largest accepted age, ten years.
const maxAgeHours = 10 * 365 * 24

func readMaxAge(v *jsondoc.Value, fallback int) int {
	if n, ok := v.Int(1, maxAgeHours); ok {
		return n
	}
	return fallback
}

func readAliases(v *jsondoc.Value, _ reference.Aliases) reference.Aliases {
	aliases := reference.Aliases{}
	for key, value := range v.Members() {
		name, err := reference.ParseAlias(key)
		if err != nil {
			value.Problem("the key %s", err)
			continue
		}
		text, ok := value.String()
		if !ok {
			continue
		}
		registry, err := reference.ParseRegistry(text)
		if err != nil {
			value.Problem("must be like 123456789012.dkr.ecr.eu-west-1.amazonaws.com or that and /prefix: %s", err)
			continue
		}
		if _, twice := aliases[name]; twice {
			value.Problem("is given twice, in another spelling; keep one")
		}
		aliases[name] = registry
	}
	return aliases
}

func readInUse(v *jsondoc.Value, _ []string) []string {
	sources := []string{}
	items, _ := v.Array()
	for _, item := range items {
		if s, ok := jsondoc.OneOf(item, inUseSources...); ok {
			sources = append(sources, s)
		}
	}
	return sources
}

func readCount(v *jsondoc.Value, fallback int) int {
	if n, ok := v.Int(0, math.MaxInt32); ok {
		return n
	}
	return fallback
}

func readPercent(v *jsondoc.Value, fallback int) int {
	if n, ok := v.Int(0, 100); ok {
		return n
	}
	return fallback
}

func readLimits(v *jsondoc.Value, l Limits) Limits {
	if o, ok := v.Object("maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent"); ok {
		l.read(o)
	}
	return l
}

func (l *Limits) read(o jsondoc.Object) {
	set(&l.MaxDeletions, o.Get("maxDeletions"), readCount)
	set(&l.MaxDeletionsPerRepository, o.Get("maxDeletionsPerRepository"), readCount)
	set(&l.MaxDeletedPercent, o.Get("maxDeletedPercent"), readPercent)
}
