// Package fakeecr is an in-memory Amazon ECR that speaks ECR's protocol, AWS JSON 1.1
// over HTTP. The demo, the tests and the benchmarks use it: serve a [Server] with
// [net/http/httptest] and set the server's URL as base endpoint of an AWS SDK client. The
// package imports only the standard library, so that it also checks our view of the
// protocol.
//
// It enforces the limits and patterns of the API model. A page token is valid for one
// listing only. Listings have ACTIVE images only, unless a filter asks for others. Calls
// report failures per image, and indexes guard their children. It is stricter than ECR in
// one point: an unknown request member, also one in another case, is a
// SerializationException. It does not check signatures and permissions; [Server.Fail]
// denies calls. Every caller is a session of the role "cleaner", and STS's
// GetCallerIdentity says so.
//
// [Server.Inject] makes calls fail, by number or at random from a seed: ECR throttles
// them, answers too late, twice, wrongly or not at all.
//
// Where AWS's documentation says nothing, this package decides:
//
//   - Listings are ordered by digest. ECR promises no order.
//   - BatchDeleteImage checks the indexes as they were before the call, so one call
//     cannot delete an index and its children. An archived index does not prevent that
//     its children are deleted or archived.
//   - If an earlier identifier of the same BatchDeleteImage deleted the image, the later
//     identifier is neither an error nor in the answer.
//   - An identifier with tag and digest is the tag.
//   - BatchGetImage by digest answers once for each tag of the image.
//   - If the request does not accept the media type of an index, BatchGetImage answers
//     with its linux/amd64 child, or with its first stored child. A request without media
//     types accepts no index. All other types that it does not accept, and archived
//     images, are not found.
//   - A pull is recorded for the requested image, not for the children of an index, and
//     not within 24 hours of the last recorded pull.
//   - A restored image is ACTIVE at once; ECR takes minutes.
//   - No lifecycle policy ever runs. After PutLifecyclePolicy lastEvaluatedAt is the epoch.
//
// Times have milliseconds and are in UTC. Every answer has the same request id, so that
// you can compare transcripts. The Date of an answer is the time of the server's clock.
package fakeecr
