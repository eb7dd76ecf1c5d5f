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

// Faults of the answers to calls that are carried out. But for the first two
// they leave errors as they are.
const (
	LostAnswer FaultKind = "lost answer" // the connection is reset instead of an answer
	// LateWork carries the call out after [Faults.Delay], whether or not the
	// caller still waits then.
	LateWork         FaultKind = "late work"
	SlowAnswer       FaultKind = "slow answer"        // comes [Faults.Delay] after the work
	CutAnswer        FaultKind = "cut answer"         // the connection is reset in the middle of the body
	TruncatedJSON    FaultKind = "truncated JSON"     // status 200, a body that ends too early
	EmptyAnswer      FaultKind = "empty answer"       // status 200, no body
	HTMLAnswer       FaultKind = "HTML answer"        // status 200, a page of HTML
	WrongContentType FaultKind = "wrong content type" // the right answer, said to be HTML
)

// Faults of the pages of listings.
const (
	ShortPage       FaultKind = "short page"       // half of what the page could hold; ECR may do so
	EmptyPage       FaultKind = "empty page"       // no items, but a token
	RepeatedPage    FaultKind = "repeated page"    // a token that leads to the same page again
	OverlappingPage FaultKind = "overlapping page" // a token that leads into the page
	RepeatedToken   FaultKind = "repeated token"   // the token that was asked with
	// ExpiredToken is an InvalidParameterException for a request with a token.
	ExpiredToken FaultKind = "expired token"
)

// Faults of images.
const (
	// RefusedImages has BatchDeleteImage fail for one of the images or more,
	// with [FaultRule.Code].
	RefusedImages FaultKind = "refused images"
	// VanishedImage removes one of the images that the call names by digest,
	// before it is carried out and as if somebody else had done so.
	VanishedImage FaultKind = "vanished image"
)

// ImageFailureCodes are the codes with which BatchDeleteImage can fail for an
// image.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
var ImageFailureCodes = []string{
	"InvalidImageDigest", "InvalidImageTag", "ImageTagDoesNotMatchDigest", "ImageNotFound", "MissingDigestAndTag",
	"ImageReferencedByManifestList", "KmsError", "UpstreamAccessDenied", "UpstreamTooManyRequests", "UpstreamUnavailable",
	"ImageInaccessible",
}

// Faults say which calls of ECR's operations go wrong, and how. The zero value
// is none.
type Faults struct {
	// Seed decides everything that is left to chance. Whether and how a call is
	// struck depends on it, on the operation, on the repository and on how many
	// calls of that operation on that repository came before, but not on other
	// calls that are under way.
	Seed  uint64
	Rules []FaultRule // the first one that strikes counts
	// Delay is that of slow answers and late work.
	Delay time.Duration
}

// A FaultRule has a kind of fault strike some of the calls that it concerns:
// those of the operation on the repository, where "" stands for all, to which
// such a thing can happen. An expired token, for one, takes a token.
type FaultRule struct {
	Kind                  FaultKind
	Operation, Repository string
	// Nth strikes the call of that number among those concerned, counted from 1;
	// with 0 each is struck with that Probability, from 0 to 1.
	Nth         int
	Probability float64
	// Code is the failure code of refused images, "" a random one for each.
	Code string
}

// A FaultEvent is a fault that struck.
type FaultEvent struct {
	Kind                  FaultKind
	Operation, Repository string
	// Call is the number of the call among those of the operation on the
	// repository, counted from 1 since the faults were set.
	Call int
	// Vanished is the digest of the image that vanished, if one did.
	Vanished string
}

// Inject has these faults strike from now on, and none that were set before.
func (s *Server) Inject(f Faults) {
	s.injector.mu.Lock()
	defer s.injector.mu.Unlock()
	s.injector.faults, s.injector.calls, s.injector.events = f, map[faultKey]int{}, nil
	s.injector.concerned = make([]int, len(f.Rules))
}

// FaultEvents returns what struck since the faults were set, in order.
func (s *Server) FaultEvents() []FaultEvent {
	s.injector.mu.Lock()
	defer s.injector.mu.Unlock()
	events := make([]FaultEvent, len(s.injector.events))
	for i, event := range s.injector.events {
		events[i] = *event
	}
	return events
}
