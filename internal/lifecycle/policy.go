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
	// TagPatternList and TagPrefixList: exactly one of them has entries when
	// TagStatus is tagged, none otherwise.
	TagPatternList []TagPattern
	TagPrefixList  []string
	// StorageClass is the class of the images the rule looks at. It is never
	// empty: a policy that names none means StandardClass.
	StorageClass StorageClass
	CountType    CountType
	// CountNumber is a number of images for ImageCountMoreThan and a number
	// of days of 24 hours for the other count types. It is at least 1, and at
	// least 90 for SinceImageTransitioned.
	CountNumber int
}

// An Action says what happens to the images that a rule claims.
type Action struct {
	Type ActionType
	// TargetStorageClass is ArchiveClass for Transition and empty for Expire.
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
