package config

import (
	"math"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// MaxBytes is the maximum length of a configuration.
const MaxBytes = 1 << 20

// Parse reads a configuration, which is JSON with comments as in [jsondoc.WithoutComments]. A
// missing field, at any level, has its default. The Config is valid only if the Err method of
// the problems returns nil.
func Parse(text []byte) (Config, jsondoc.Problems) {
	if len(text) > MaxBytes {
		return Config{}, jsondoc.Refusal("has more than %d bytes, which is the most that is read; shorten it", MaxBytes)
	}
	doc := jsondoc.Parse(jsondoc.WithoutComments(text))
	c := Default()
	if o, ok := doc.Root().ObjectRefusing(foreignKeys, "mode", "repositories", "policies", "protect", "orphans", "onExpire", "limits", "report", "references", "targets", "fleet", "price", "$schema"); ok {
		c.read(o)
		o.Get("$schema").String() // only editors use it
	}
	return c, doc.Problems()
}

func (c *Config) read(o jsondoc.Object) {
	set(&c.Mode, o.Get("mode"), among(Plan, Apply, References))
	set(&c.Repositories, o.Get("repositories"), readRepositories)
	c.Settings.read(o)
	set(&c.Report, o.Get("report"), readReport)
	set(&c.References, o.Get("references"), readListTarget)
	if c.Mode == References && o.Get("references") == nil {
		o.Get("mode").Problem(`needs the location of the list; add "references": {"s3": "s3://bucket/prefix/"}`)
	}
	if usd, ok := o.Get("price").Float(0, 1000); ok {
		c.Price = &usd
	}
	c.Policies = readEntries(o.Get("policies"), c.Settings)
	checkRoles(o.Get("policies"), c.protects())
	set(&c.Fleet, o.Get("fleet"), readFleet)
	if targets := o.Get("targets"); targets != nil {
		c.Targets = c.readTargets(targets, o)
		c.checkTargetRoles(targets, o.Get("policies"))
	}
}

// set sets the target to the result of read, if there is a value. Read gets the current
// content of the target as the default.
func set[T any](target *T, v *jsondoc.Value, read func(*jsondoc.Value, T) T) {
	if v != nil {
		*target = read(v, *target)
	}
}

// among returns a reader of a string that must be one of the allowed ones.
func among[T ~string](allowed ...T) func(*jsondoc.Value, T) T {
	return func(v *jsondoc.Value, fallback T) T {
		if s, ok := jsondoc.OneOf(v, allowed...); ok {
			return s
		}
		return fallback
	}
}

// between returns a reader of an integer from low to high.
func between(low, high int) func(*jsondoc.Value, int) int {
	return func(v *jsondoc.Value, fallback int) int {
		if n, ok := v.Int(low, high); ok {
			return n
		}
		return fallback
	}
}

var (
	readCount   = between(0, math.MaxInt32)
	readPercent = between(0, 100)
)

func readRepositories(v *jsondoc.Value, r Repositories) Repositories {
	if o, ok := v.Object("include", "exclude"); ok {
		set(&r.Include, o.Get("include"), readSelection)
		set(&r.Exclude, o.Get("exclude"), readPatterns)
	}
	return r
}

// readSelection reads at least one pattern.
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
	set(&r.Notify, o.Get("notify"), among("changes", "always", "failures"))
	set(&r.HTML, o.Get("html"), readBool)
	return r
}

func readListTarget(v *jsondoc.Value, t ListTarget) ListTarget {
	if o, ok := v.Object("s3"); ok {
		set(&t.S3, o.Get("s3"), prefixed("s3://"))
	}
	return t
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

// read replaces the settings that the object has.
func (s *Settings) read(o jsondoc.Object) {
	set(&s.Protect, o.Get("protect"), readProtect)
	set(&s.Orphans, o.Get("orphans"), among(KeepOrphans, DeleteOrphans))
	set(&s.OnExpire, o.Get("onExpire"), among(DeleteExpired, ArchiveExpired))
	set(&s.Limits, o.Get("limits"), readLimits)
}

func readProtect(v *jsondoc.Value, p Protect) Protect {
	o, ok := v.Object("inUse", "regions", "accounts", "references", "expect", "taskDefinitionRevisions", "ecs", "eksClusters", "eksResources", "kubeconfig",
		"tagPatterns", "keepNewest", "pulledWithinDays", "pushedWithinHours", "referencesMaxAgeHours", "registryAliases")
	if !ok {
		return p
	}
	set(&p.InUse, o.Get("inUse"), readInUse)
	set(&p.Regions, o.Get("regions"), readRegions)
	set(&p.Accounts, o.Get("accounts"), readAccounts)
	set(&p.References, o.Get("references"), func(v *jsondoc.Value, _ []string) []string { s, _ := v.Strings(); return s })
	set(&p.Expect, o.Get("expect"), readExpect)
	p.checkPlaces(o)
	set(&p.TaskDefinitionRevisions, o.Get("taskDefinitionRevisions"), readCount)
	set(&p.ECS, o.Get("ecs"), readECS)
	set(&p.EKSClusters, o.Get("eksClusters"), readPatterns)
	set(&p.EKSResources, o.Get("eksResources"), readPatterns)
	set(&p.Kubeconfig, o.Get("kubeconfig"), readKubeconfig)
	set(&p.TagPatterns, o.Get("tagPatterns"), readPatterns)
	set(&p.KeepNewest, o.Get("keepNewest"), readCount)
	set(&p.PulledWithinDays, o.Get("pulledWithinDays"), readCount)
	set(&p.PushedWithinHours, o.Get("pushedWithinHours"), readCount)
	set(&p.ReferencesMaxAgeHours, o.Get("referencesMaxAgeHours"), between(1, 10*365*24))
	set(&p.RegistryAliases, o.Get("registryAliases"), readAliases)
	return p
}

func readBool(v *jsondoc.Value, fallback bool) bool {
	if b, ok := v.Bool(); ok {
		return b
	}
	return fallback
}

func readECS(v *jsondoc.Value, e ECS) ECS {
	fields := map[string]*bool{
		"daemons": &e.Daemons, "taskSets": &e.TaskSets, "rules": &e.Rules,
		"schedules": &e.Schedules, "pipes": &e.Pipes, "stateMachines": &e.StateMachines,
	}
	o, ok := v.Object("daemons", "taskSets", "rules", "schedules", "pipes", "stateMachines", "familyDays")
	if !ok {
		return e
	}
	for name, field := range fields {
		set(field, o.Get(name), readBool)
	}
	set(&e.FamilyDays, o.Get("familyDays"), readCount)
	return e
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

func readLimits(v *jsondoc.Value, l Limits) Limits {
	if o, ok := v.Object("maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent"); ok {
		set(&l.MaxDeletions, o.Get("maxDeletions"), readCount)
		set(&l.MaxDeletionsPerRepository, o.Get("maxDeletionsPerRepository"), readCount)
		set(&l.MaxDeletedPercent, o.Get("maxDeletedPercent"), readPercent)
	}
	return l
}
