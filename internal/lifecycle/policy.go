package lifecycle

// A Policy is a checked lifecycle policy. Values of this type come from
// [Parse]; what [Parse] returns obeys every constraint that its documentation
// names, so that evaluation cannot fail.
type Policy struct {
	// Rules stand in the order of the document, which carries no meaning:
	// RulePriority decides.
	Rules []Rule
}

// A Rule is one entry of "rules".
type Rule struct {
	// RulePriority is unique in the policy and at least 1; the rule with the
	// lowest number is applied first.
	RulePriority int
	// Description is free text; it may be empty.
	Description string
	Selection   Selection
	Action      Action
}

// A Selection says which images a rule looks at and which of these it marks.
type Selection struct {
	TagStatus TagStatus
	// TagPatternList, TagPrefixList and TagRegexList: at most one of them has
	// entries, and none unless TagStatus is Tagged. In the AWS dialect one of
	// the first two always has with Tagged; in the extended dialect Tagged
	// without a list is every tagged image.
	TagPatternList []TagPattern
	TagPrefixList  []string
	TagRegexList   []TagRegex
	// TagMatchAny is true if one entry of the list that some tag matches is
	// enough; otherwise every entry needs one. Extended dialect.
	TagMatchAny bool
	// TagExcludePatternList takes out of the selection every image with a tag
	// that matches an entry. Extended dialect, never with Untagged.
	TagExcludePatternList []TagPattern
	// StorageClass is the class of the images the rule looks at. It is never
	// empty: a policy that names none means StandardClass.
	StorageClass StorageClass
	// CountType is empty for the action Retain, which does not count.
	CountType CountType
	// CountNumber is a number of images for ImageCountMoreThan and a number
	// of days of 24 hours for the other count types. It is at least 1, and at
	// least 90 for SinceImageTransitioned, and 0 without a CountType.
	CountNumber int
	// KeepNewest is the number of images, the newest by push of all that the
	// selection matches, that an age count type never marks; 0 is none.
	// Extended dialect.
	KeepNewest int
}

// An Action says what happens to the images that a rule claims.
type Action struct {
	Type ActionType
	// TargetStorageClass is ArchiveClass for Transition, else empty.
	TargetStorageClass StorageClass
}

// TagStatus is the value of selection.tagStatus. The zero value is invalid.
type TagStatus string

// The tag statuses of AWS's grammar.
const (
	Tagged   TagStatus = "tagged"
	Untagged TagStatus = "untagged"
	Any      TagStatus = "any"
)

// StorageClass is the value of selection.storageClass and of
// action.targetStorageClass. The zero value means "none".
type StorageClass string

// The storage classes of AWS's grammar.
const (
	StandardClass StorageClass = "standard"
	ArchiveClass  StorageClass = "archive"
)

// CountType is the value of selection.countType. The zero value is invalid.
type CountType string

// The count types of AWS's grammar.
const (
	ImageCountMoreThan     CountType = "imageCountMoreThan"
	SinceImagePushed       CountType = "sinceImagePushed"
	SinceImagePulled       CountType = "sinceImagePulled"
	SinceImageTransitioned CountType = "sinceImageTransitioned"
)

// ActionType is the value of action.type. The zero value is invalid.
type ActionType string

// The action types of AWS's grammar.
const (
	Expire     ActionType = "expire"
	Transition ActionType = "transition"
)

// The action types that the extended dialect adds.
const (
	// Retain keeps what the rule matches, and shields it from later rules.
	Retain ActionType = "retain"
	// Untag removes the tags that match the list, unless the image has no
	// other.
	Untag ActionType = "untag"
)
