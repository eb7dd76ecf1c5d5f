package plan

// A Skip is why a repository is left alone.
type Skip struct {
	Code SkipCode
	// Message is one line for a person; it says what to do where there is
	// something to do.
	Message string
}

// SkipCode tells the reasons apart for which a repository is left alone.
type SkipCode string

// The reasons for leaving a repository alone. The last five mean that something
// went wrong.
const (
	SkipNotConfigured SkipCode = "not configured" // no entry selects it
	SkipNone          SkipCode = "policy none"    // its entry says so
	SkipNoPolicy      SkipCode = "no policy"      // none is attached
	SkipGone          SkipCode = "gone"           // it was deleted meanwhile
	SkipLimit         SkipCode = "limit"          // the plan exceeds a limit
	SkipInvalidPolicy SkipCode = "invalid policy" // the attached policy cannot be read
	SkipFailed        SkipCode = "failed"         // a call failed
	SkipScanFailed    SkipCode = "in-use scan"    // what is in use is not known
	SkipDeadline      SkipCode = "deadline"       // the time ran out before it
	SkipInterrupted   SkipCode = "interrupted"    // the run was stopped before it, by no deadline
)

// IsFailure reports whether the skip means that something went wrong.
func (c SkipCode) IsFailure() bool {
	switch c {
	case SkipFailed, SkipScanFailed, SkipDeadline, SkipInterrupted, SkipInvalidPolicy:
		return true
	case SkipNotConfigured, SkipNone, SkipNoPolicy, SkipGone, SkipLimit:
	}
	return false
}
