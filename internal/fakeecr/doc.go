// Package fakeecr is an in-memory Amazon ECR that speaks ECR's protocol, AWS
// JSON 1.1 over HTTP. It serves the demo, the tests and the benchmarks: an
// unmodified AWS SDK client works on it when its base endpoint is the address
// of an [httptest.Server] or [http.Server] that has a [Server] as handler. It
// imports nothing but the standard library, so that it also checks our view of
// the wire.
//
// It is strict where ECR is strict: limits and patterns of the API model,
// opaque tokens that are good for one listing only, ACTIVE images alone unless
// a filter asks for more, failures per image, and the index guard. It is
// stricter than ECR in one thing: a request member that the operation does not
// know, a wrong case included, is a SerializationException. Signatures and
// permissions are not checked; [Server.Fail] plays a denied call. Every caller
// is a session of the role "cleaner", and STS's GetCallerIdentity says so.
//
// [Server.Inject] has calls of ECR go wrong, the n-th or some by a seeded
// chance: throttled, answered with nonsense, late, twice or not at all.
//
// Where AWS's documentation is silent, this package decides:
//
//   - Listings are ordered by digest. ECR promises no order.
//   - The index guard looks at the repository as it was before the call, so
//     an index and its children cannot go in one BatchDeleteImage. An
//     archived index guards none, neither against deletion nor against being
//     archived.
//   - An identifier whose image went earlier in the same BatchDeleteImage is
//     neither an error nor listed again.
//   - An identifier with tag and digest stands for the tag.
//   - BatchGetImage by digest answers once for each tag of the image.
//   - An index whose media type is not accepted (none are when the request
//     names no types) is resolved to its linux/amd64 child, else to the first
//     child that can be had. Any other type that is not accepted, and an
//     archived image, count as not found.
//   - A pull stamps the image that was asked for, not the children of an index,
//     and not within 24 hours of the last pull that was recorded.
//   - A restored image is ACTIVE at once; ECR takes minutes.
//   - No lifecycle policy is ever run: lastEvaluatedAt is the epoch.
//
// Instants are kept in milliseconds, in UTC. Every answer carries the same
// request id, so that transcripts can be compared. Its Date is the time of the
// server's own clock.
package fakeecr
