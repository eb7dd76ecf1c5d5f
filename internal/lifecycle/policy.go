package lifecycle

// A Dialect is a grammar of policies.
type Dialect int

// The dialects.
const (
	AWS      Dialect = iota // ECR's own grammar
	Extended                // AWS with extensions, for policies that the cleaner applies
)

// A Policy is a lifecycle policy that [Parse] has checked.
type Policy struct {
	Rules []Rule // in the order of the document, which has no meaning
}

// A Rule is one entry of "rules".
type Rule struct {
	// RulePriority is at least 1 and unique in the policy. The rule with the lowest
	// number is applied first.
	RulePriority int
	Description  string // may be empty
	Selection    Selection
	Action       Action
}

// A Selection says which images a rule matches, and which of these it marks.
type Selection struct {
	TagStatus TagStatus
	// At most one of the three lists has entries, and none unless TagStatus is Tagged.
	// Tagged without a list is every tagged image.
	TagPatternList []TagPattern
	TagPrefixList  []string
	TagRegexList   []TagRegex
	// TagMatchAny is true if an image needs a tag for one entry of the list, and false if
	// it needs a tag for each entry.
	TagMatchAny bool
	// TagExcludePatternList excludes every image with a tag that matches an entry.
	// It is empty with Untagged.
	TagExcludePatternList []TagPattern
	StorageClass          StorageClass // never empty
	CountType             CountType    // empty for the action Retain
	// CountNumber is a number of images for ImageCountMoreThan, and a number of days of
	// 24 hours for the other count types. It is at least 1, at least 90 for
	// SinceImageTransitioned, and 0 without a CountType.
	CountNumber int
	// KeepNewest is how many of the matched images, the newest by push, an age count
	// type never marks.
	KeepNewest int
}

// An Action is the action of a rule that is applied.
type Action struct {
	Type               ActionType   `json:"type"`
	TargetStorageClass StorageClass `json:"targetStorageClass,omitempty"` // ArchiveClass for Transition
}

// TagStatus is the value of selection.tagStatus. The zero value is invalid.
type TagStatus string

// The tag statuses.
const (
	Tagged   TagStatus = "tagged"
	Untagged TagStatus = "untagged"
	Any      TagStatus = "any"
)

// StorageClass is the value of selection.storageClass and action.targetStorageClass. The
// zero value means "none".
type StorageClass string

// The storage classes.
const (
	StandardClass StorageClass = "standard"
	ArchiveClass  StorageClass = "archive"
)

// CountType is the value of selection.countType. The zero value means "none".
type CountType string

// The count types.
const (
	ImageCountMoreThan     CountType = "imageCountMoreThan"
	SinceImagePushed       CountType = "sinceImagePushed"
	SinceImagePulled       CountType = "sinceImagePulled"
	SinceImageTransitioned CountType = "sinceImageTransitioned"
)

// ActionType is the value of action.type. The zero value is invalid.
type ActionType string

// The action types. Retain and Untag are extensions.
const (
	Expire     ActionType = "expire"
	Transition ActionType = "transition"
	// Retain keeps all images that the rule matches. Later rules never act on them.
	Retain ActionType = "retain"
	// Untag removes the tags that match the list, unless the image has no other tag.
	Untag ActionType = "untag"
)
