package config

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Config is a checked configuration document with all defaults filled in.
// Its JSON form is canonical: equal configurations print equal.
type Config struct {
	Mode         Mode         `json:"mode"`
	Repositories Repositories `json:"repositories"`
	// Policies are in the order of the document: the first entry that selects
	// a repository decides about it.
	Policies []Entry `json:"policies"`
	// Settings are the general ones. Each entry carries its own, in which
	// what it does not set is filled in from here.
	Settings
	Report Report `json:"report"`
	// MaxDeletions bounds the whole run, whatever budgets the entries have;
	// nil means that only the budgets bound it.
	MaxDeletions *int `json:"-"`
}

// Mode says whether a run may remove anything.
type Mode string

// The modes. Nothing is removed unless the mode is Apply.
const (
	Plan  Mode = "plan"
	Apply Mode = "apply"
)

// Repositories selects the repositories that the cleaner may look at.
type Repositories struct {
	Include []wildcard.Pattern `json:"include"`
	Exclude []wildcard.Pattern `json:"exclude"`
	// Requested narrows the selection for one run; nil means no narrowing.
	Requested []wildcard.Pattern `json:"-"`
}

// Select reports whether the repository of that name is included, not
// excluded, and asked for if the run asks for some.
func (r Repositories) Select(name string) bool {
	return wildcard.MatchAny(r.Include, name) && !wildcard.MatchAny(r.Exclude, name) && r.Ask(name)
}

// Ask reports whether this run is about the repository of that name, be it
// included or not.
func (r Repositories) Ask(name string) bool {
	return r.Requested == nil || wildcard.MatchAny(r.Requested, name)
}

// An Entry gives one policy to the repositories that it selects.
type Entry struct {
	Name         string             `json:"name"`
	Repositories []wildcard.Pattern `json:"repositories"`
	// RepositoryTags must all stand on a repository for the entry to select it.
	RepositoryTags map[string]string `json:"repositoryTags,omitempty"`
	Source         PolicySource      `json:"source"`
	// Policy is set when Source is Inline.
	Policy lifecycle.Policy `json:"policy"`
	Settings
	// OwnBudget is true when the entry names its own maxDeletions: then its
	// repositories draw on that and not on the general one.
	OwnBudget bool `json:"ownBudget"`
}

// PolicySource says where the policy of an entry comes from.
type PolicySource string

// The sources of a policy.
const (
	Inline   PolicySource = "inline"   // it stands in the entry
	Attached PolicySource = "attached" // the repository's own; none attached: left alone
	None     PolicySource = "none"     // none: the repository is left alone
)

// Settings are what the general part of a configuration and each entry can set.
type Settings struct {
	Protect  Protect  `json:"protect"`
	Orphans  Orphans  `json:"orphans"`
	OnExpire OnExpire `json:"onExpire"`
	Limits   Limits   `json:"limits"`
}

// Protect says what is never removed, whatever a policy says.
type Protect struct {
	// InUse names the services whose references protect images. Empty turns
	// the scan off.
	InUse []string `json:"inUse"`
	// References are files or S3 objects that list references.
	References []string `json:"references"`
	// ReferencesMaxAgeHours is the maximum age of a list; 0 means the default of the
	// list's format.
	ReferencesMaxAgeHours int `json:"referencesMaxAgeHours,omitempty"`
	// RegistryAliases are the other names of ECR registries, such as the hosts of
	// proxies. They are the same for all entries.
	RegistryAliases reference.Aliases `json:"registryAliases,omitempty"`
	// TaskDefinitionRevisions is how many of the newest revisions of every
	// active task definition family count as in use.
	TaskDefinitionRevisions int                `json:"taskDefinitionRevisions"`
	EKSClusters             []wildcard.Pattern `json:"eksClusters"`
	// TagPatterns protect every image that has a tag matching one of them.
	TagPatterns []wildcard.Pattern `json:"tagPatterns"`
	// KeepNewest protects that many images of a repository; 0 is off.
	KeepNewest int `json:"keepNewest"`
	// PulledWithinDays protects images pulled in that many days of 24 hours;
	// 0 is off.
	PulledWithinDays int `json:"pulledWithinDays"`
	// PushedWithinHours protects images pushed in that many hours; 0 is off.
	PushedWithinHours int `json:"pushedWithinHours"`
}

// Orphans says what becomes of a marked referrer whose subject is gone.
type Orphans string

// The treatments of orphans.
const (
	KeepOrphans   Orphans = "keep"
	DeleteOrphans Orphans = "delete"
)

// OnExpire says how an expired image of the standard class is removed.
type OnExpire string

// The ways of removing expired images.
const (
	DeleteExpired  OnExpire = "delete"
	ArchiveExpired OnExpire = "archive"
)

// Limits bound what one run may remove. Zero allows nothing.
type Limits struct {
	// MaxDeletions is the number of images in one run.
	MaxDeletions int `json:"maxDeletions"`
	// MaxDeletionsPerRepository is the number of images in one repository.
	MaxDeletionsPerRepository int `json:"maxDeletionsPerRepository"`
	// MaxDeletedPercent is the part of the images listed in one repository,
	// from 0 to 100.
	MaxDeletedPercent int `json:"maxDeletedPercent"`
}

// Report says where the report of a run goes besides the answer.
type Report struct {
	S3     string `json:"s3"`
	HTML   bool   `json:"html"`
	SNS    string `json:"sns"`
	Notify string `json:"notify"`
}

// Default returns the configuration that an empty document means.
func Default() Config {
	all := []wildcard.Pattern{wildcard.Compile("*")}
	settings := Settings{
		Protect: Protect{
			InUse:                   []string{"ecs", "lambda"},
			References:              []string{},
			TaskDefinitionRevisions: 5,
			EKSClusters:             all,
			TagPatterns:             []wildcard.Pattern{wildcard.Compile("latest")},
			KeepNewest:              1,
			PulledWithinDays:        7,
			PushedWithinHours:       24,
		},
		Orphans:  KeepOrphans,
		OnExpire: DeleteExpired,
		Limits:   Limits{MaxDeletions: 10000, MaxDeletionsPerRepository: 1000, MaxDeletedPercent: 100},
	}
	return Config{
		Mode:         Plan,
		Repositories: Repositories{Include: all, Exclude: []wildcard.Pattern{}},
		Policies:     []Entry{{Name: "attached", Repositories: all, Source: Attached, Settings: settings}},
		Settings:     settings,
		Report:       Report{Notify: "changes"},
	}
}

// InUse returns the sources and lists that any entry relies upon, each once,
// and the most revisions that one asks for.
func (c *Config) InUse() Protect {
	all := Protect{}
	add := func(p Protect) {
		all.InUse = append(all.InUse, p.InUse...)
		all.References = append(all.References, p.References...)
		all.TaskDefinitionRevisions = max(all.TaskDefinitionRevisions, p.TaskDefinitionRevisions)
	}
	add(c.Protect)
	for i := range c.Policies {
		add(c.Policies[i].Protect)
	}
	slices.Sort(all.InUse)
	slices.Sort(all.References)
	all.InUse, all.References = slices.Compact(all.InUse), slices.Compact(all.References)
	return all
}

// ReferencesMaxAge returns the maximum age, in hours, of the list at the location: the
// smallest that any part of the configuration with that list sets, or 0 when none sets
// one.
func (c *Config) ReferencesMaxAge(location string) int {
	least := 0
	consider := func(p Protect) {
		if hours := p.ReferencesMaxAgeHours; hours > 0 && (least == 0 || hours < least) && slices.Contains(p.References, location) {
			least = hours
		}
	}
	consider(c.Protect)
	for i := range c.Policies {
		consider(c.Policies[i].Protect)
	}
	return least
}
