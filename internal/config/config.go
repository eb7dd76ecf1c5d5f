// Package config reads the configuration of the cleaner, and the request of one run. A
// configuration says which images the cleaner may remove. A request narrows that: apart
// from the mode, it never allows more.
package config

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Config is a valid configuration with all defaults. Equal configurations have the same
// JSON form.
type Config struct {
	Mode         Mode         `json:"mode"`
	Repositories Repositories `json:"repositories"`
	// Policies are in the order of the document: the first entry that selects a repository
	// applies to it.
	Policies []Entry `json:"policies"`
	Settings         // the defaults of the settings of each entry
	Report   Report  `json:"report"`
	// References says where the mode References writes its list.
	References ListTarget `json:"references,omitzero"`
	// Targets are the registries of the fleet, and Fleet has the settings of its executions.
	Targets []Target `json:"targets,omitempty"`
	Fleet   Fleet    `json:"fleet,omitzero"`
	// Price is that of storage in USD per GB-month, or nil for the published one. It is only for
	// people, so the hash of a configuration does not depend on it.
	Price *float64 `json:"-"`
	// MaxDeletions limits the whole run, in addition to the limits of the entries, or is nil.
	MaxDeletions *int `json:"-"`
}

// Mode says whether a run may remove images.
type Mode string

// The modes. Only a run with the mode Apply removes images. A run with the mode References
// reads no registry: it writes the list of the images in use in its account and Region.
const (
	Plan       Mode = "plan"
	Apply      Mode = "apply"
	References Mode = "references"
)

// Repositories selects the repositories that the cleaner may read and change.
type Repositories struct {
	Include   []wildcard.Pattern `json:"include"`
	Exclude   []wildcard.Pattern `json:"exclude"`
	Requested []wildcard.Pattern `json:"-"` // narrows the selection for one run, or nil
	Omitted   []wildcard.Pattern `json:"-"` // are left out of one run
}

// Select reports whether the repository is included, not excluded, requested and not omitted.
func (r Repositories) Select(name string) bool {
	return wildcard.MatchAny(r.Include, name) && !wildcard.MatchAny(r.Exclude, name) && r.Ask(name)
}

// Ask reports whether the repository is requested and not omitted, included or not.
func (r Repositories) Ask(name string) bool {
	return (r.Requested == nil || wildcard.MatchAny(r.Requested, name)) && !wildcard.MatchAny(r.Omitted, name)
}

// An Entry assigns one policy to the repositories that it selects.
type Entry struct {
	Name         string             `json:"name"`
	Repositories []wildcard.Pattern `json:"repositories"`
	// RepositoryTags are tags that a repository must have.
	RepositoryTags map[string]string `json:"repositoryTags,omitempty"`
	Source         PolicySource      `json:"source"`
	Policy         lifecycle.Policy  `json:"policy"` // if Source is Inline
	Settings
	// OwnBudget is true if the entry sets maxDeletions. That limit then replaces the general
	// one for its repositories.
	OwnBudget bool `json:"ownBudget"`
}

// PolicySource says where the policy of an entry is.
type PolicySource string

// The sources of a policy.
const (
	Inline   PolicySource = "inline"   // in the entry
	Attached PolicySource = "attached" // attached to the repository; without one it is skipped
	None     PolicySource = "none"     // nowhere: the repository is skipped
)

// Settings can be set for the whole configuration and for each entry.
type Settings struct {
	Protect  Protect  `json:"protect"`
	Orphans  Orphans  `json:"orphans"`
	OnExpire OnExpire `json:"onExpire"`
	Limits   Limits   `json:"limits"`
}

// Protect says which images the cleaner never removes.
type Protect struct {
	InUse []string `json:"inUse"` // the services whose references protect images
	// Regions are other Regions of the registry's account where the services are queried.
	// Accounts are other accounts. In an entry, each replaces the general one.
	Regions  []string  `json:"regions,omitzero"`
	Accounts []Account `json:"accounts,omitzero"`
	// References are files or S3 objects that list references. One that begins with s3:// and
	// ends with a slash is a prefix: below it is one list for each account and Region.
	References []string `json:"references"`
	// Expect has the places whose list must be below the prefix, such as 222222222222/eu-west-1.
	Expect []string `json:"expect,omitzero"`
	// FleetLists adds the source [FleetSource], which has what an execution of the fleet knows.
	FleetLists bool `json:"-"`
	// ReferencesMaxAgeHours is the maximum age of a list; 0 is the default of its format.
	ReferencesMaxAgeHours int `json:"referencesMaxAgeHours,omitempty"`
	// RegistryAliases are other hosts of ECR registries, the same for all entries.
	RegistryAliases reference.Aliases `json:"registryAliases,omitempty"`
	// TaskDefinitionRevisions is how many of the newest revisions of every active task
	// definition family are in use.
	TaskDefinitionRevisions int `json:"taskDefinitionRevisions"`
	ECS                     ECS `json:"ecs"`
	// EKSClusters are the names of the EKS clusters to query.
	EKSClusters []wildcard.Pattern `json:"eksClusters"`
	// EKSResources are the kinds of custom resources to read in Kubernetes, such as
	// rollouts.argoproj.io, if the cleaner may list them.
	EKSResources []wildcard.Pattern `json:"eksResources"`
	// Kubeconfig names clusters outside EKS, which only the tool queries. Nil is none.
	Kubeconfig  *Kubeconfig        `json:"kubeconfig,omitempty"`
	TagPatterns []wildcard.Pattern `json:"tagPatterns"`
	// KeepNewest protects the newest images of a repository. PulledWithinDays protects
	// images pulled in the last days of 24 hours, PushedWithinHours images pushed in the
	// last hours. 0 protects none.
	KeepNewest        int `json:"keepNewest"`
	PulledWithinDays  int `json:"pulledWithinDays"`
	PushedWithinHours int `json:"pushedWithinHours"`
}

// ECS selects the additional queries of the in-use source of ECS, besides those for tasks,
// services and task definition families. The zero value selects none.
type ECS struct {
	Daemons       bool `json:"daemons"`       // managed daemons
	TaskSets      bool `json:"taskSets"`      // of services with the controller EXTERNAL or CODE_DEPLOY
	Rules         bool `json:"rules"`         // task definitions in targets of EventBridge rules
	Schedules     bool `json:"schedules"`     // and of EventBridge Scheduler
	Pipes         bool `json:"pipes"`         // and of EventBridge Pipes
	StateMachines bool `json:"stateMachines"` // task definitions that Step Functions runs
	// FamilyDays ends the protection by a task definition family that nothing names, after
	// so many days without a new revision, a push or a pull. 0 protects without end.
	FamilyDays int `json:"familyDays"`
}

// Complete reports whether the source queries everything that may name a family.
func (e ECS) Complete() bool {
	return e.Daemons && e.TaskSets && e.Rules && e.Schedules && e.Pipes && e.StateMachines
}

// union returns what either queries, and the greater FamilyDays.
func (e ECS) union(other ECS) ECS {
	return ECS{
		e.Daemons || other.Daemons, e.TaskSets || other.TaskSets, e.Rules || other.Rules,
		e.Schedules || other.Schedules, e.Pipes || other.Pipes, e.StateMachines || other.StateMachines,
		max(e.FamilyDays, other.FamilyDays),
	}
}

// A Kubeconfig names the contexts of a kubeconfig file whose clusters are queried.
type Kubeconfig struct {
	// Path is the file. If it is empty, the files are those that kubectl reads.
	Path string `json:"path"`
	// Contexts are the names of the contexts. If it is empty, it is the current context.
	Contexts []string `json:"contexts"`
}

// Orphans is the treatment of marked referrers whose subject does not exist.
type Orphans string

// The treatments of orphans.
const (
	KeepOrphans   Orphans = "keep"
	DeleteOrphans Orphans = "delete"
)

// OnExpire says how the cleaner removes an expired image of the standard class.
type OnExpire string

// The ways to remove expired images.
const (
	DeleteExpired  OnExpire = "delete"
	ArchiveExpired OnExpire = "archive"
)

// Limits are the maximum numbers of images that one run may remove. Zero allows none.
type Limits struct {
	// MaxDeletions is for the whole run, MaxDeletionsPerRepository for one repository.
	MaxDeletions              int `json:"maxDeletions"`
	MaxDeletionsPerRepository int `json:"maxDeletionsPerRepository"`
	// MaxDeletedPercent is a percentage of the images in one repository, from 0 to 100.
	MaxDeletedPercent int `json:"maxDeletedPercent"`
}

// A ListTarget says where the function writes a list of references: an S3 object, or a prefix
// that ends with a slash. Below a prefix the key goes on with ACCOUNT/REGION.json.
type ListTarget struct {
	S3 string `json:"s3"`
}

// Report says where the cleaner writes the report of a run, in addition to its answer.
type Report struct {
	S3     string `json:"s3"`
	HTML   bool   `json:"html"`
	SNS    string `json:"sns"`
	Notify string `json:"notify"`
}

// Default returns the configuration of an empty document.
func Default() Config {
	all := []wildcard.Pattern{wildcard.Compile("*")}
	settings := Settings{
		Protect: Protect{
			InUse:                   []string{"ecs", "lambda"},
			References:              []string{},
			TaskDefinitionRevisions: 5,
			ECS:                     ECS{Daemons: true, TaskSets: true, Rules: true, Schedules: true, Pipes: true, StateMachines: true},
			EKSClusters:             all,
			EKSResources:            all,
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
		Fleet:        defaultFleet,
	}
}
