package fakeecr

import "time"

// A FaultKind is a way in which a call goes wrong.
type FaultKind string

// Faults of calls that are not carried out.
const (
	Throttled   FaultKind = "throttled"    // a ThrottlingException
	ServerError FaultKind = "server error" // a ServerException with status 500
	BadGateway  FaultKind = "bad gateway"  // status 502 with a page of HTML, as from a proxy
	Reset       FaultKind = "reset"        // the connection is reset instead of an answer
)

// Faults of the answers to calls that are carried out. All except LostAnswer and LateWork
// apply only to answers that are not errors.
const (
	LostAnswer FaultKind = "lost answer" // the connection is reset instead of an answer
	// LateWork carries the call out after [Faults.Delay], even if the caller has left.
	LateWork         FaultKind = "late work"
	SlowAnswer       FaultKind = "slow answer"        // [Faults.Delay] after the call is carried out
	CutAnswer        FaultKind = "cut answer"         // the connection is reset within the body
	TruncatedJSON    FaultKind = "truncated JSON"     // status 200 with a part of the body
	EmptyAnswer      FaultKind = "empty answer"       // status 200 without a body
	HTMLAnswer       FaultKind = "HTML answer"        // status 200 with a page of HTML
	WrongContentType FaultKind = "wrong content type" // the right answer with the content type of HTML
)

// Faults of the pages of listings.
const (
	ShortPage       FaultKind = "short page"       // half of the items; ECR may do that too
	EmptyPage       FaultKind = "empty page"       // a token but no items
	RepeatedPage    FaultKind = "repeated page"    // the token of the same page
	OverlappingPage FaultKind = "overlapping page" // the token of a page with some of the same items
	RepeatedToken   FaultKind = "repeated token"   // the token of the request
	// ExpiredToken is an InvalidParameterException for a request with a token.
	ExpiredToken FaultKind = "expired token"
)

// Faults of images.
const (
	// RefusedImages makes BatchDeleteImage fail with [FaultRule.Code] for one or more of
	// the images.
	RefusedImages FaultKind = "refused images"
	// VanishedImage removes an image that the call names by digest, before the call is
	// carried out.
	VanishedImage FaultKind = "vanished image"
)

// ImageFailureCodes are the failure codes of BatchDeleteImage.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
var ImageFailureCodes = []string{
	"InvalidImageDigest", "InvalidImageTag", "ImageTagDoesNotMatchDigest", "ImageNotFound", "MissingDigestAndTag",
	"ImageReferencedByManifestList", "KmsError", "UpstreamAccessDenied", "UpstreamTooManyRequests", "UpstreamUnavailable",
	"ImageInaccessible",
}

// Faults say which calls of ECR get a fault. The zero value has no faults.
type Faults struct {
	// Seed is the seed of all random choices. The fault of a call depends on the seed,
	// the operation, the repository and the number of the call among the calls of that
	// operation on that repository. It does not depend on concurrent calls.
	Seed  uint64
	Rules []FaultRule   // the first rule that hits the call decides
	Delay time.Duration // of SlowAnswer and LateWork
}

// A FaultRule injects a kind of fault into some of the calls of an operation on a
// repository; "" means all. It skips calls that cannot have the fault: ExpiredToken, for
// example, needs a call with a token.
type FaultRule struct {
	Kind                  FaultKind
	Operation, Repository string
	// Nth is the number of the only call that gets the fault, from 1. If it is 0, each
	// call gets the fault with the Probability, from 0 to 1.
	Nth         int
	Probability float64
	Code        string // of RefusedImages; "" is a random code for each image
}

// A FaultEvent is a fault of a call.
type FaultEvent struct {
	Kind                  FaultKind
	Operation, Repository string
	// Call is the number of the call among the calls of the operation on the repository
	// since Inject, from 1.
	Call     int
	Vanished string // the digest of the image that VanishedImage removed
}

// Inject sets the faults of the following calls. It replaces earlier faults.
func (s *Server) Inject(f Faults) {
	s.injector.mu.Lock()
	defer s.injector.mu.Unlock()
	s.injector.faults, s.injector.calls, s.injector.events = f, map[faultKey]int{}, nil
	s.injector.candidates = make([]int, len(f.Rules))
}

// FaultEvents returns the faults since Inject, in order.
func (s *Server) FaultEvents() []FaultEvent {
	s.injector.mu.Lock()
	defer s.injector.mu.Unlock()
	events := make([]FaultEvent, len(s.injector.events))
	for i, event := range s.injector.events {
		events[i] = *event
	}
	return events
}
