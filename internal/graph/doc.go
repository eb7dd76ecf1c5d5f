// Package graph knows what belongs together in a repository: an index and its
// children, a subject and its referrers. Given what a policy wants of each
// image, it says what may go without tearing anything apart, and what goes
// along.
//
// Two rules bind every image, and both run from parent to child, where the
// parents of an image are the indexes that list it and the subjects that it
// refers to:
//
//   - No image goes further than its parents do: a child of a kept index is
//     kept, and so is the signature of a kept image, however old.
//   - What nobody names on its own goes with the last of its parents. It must be
//     untagged, or carry only tags that name its subject.
//
// The package is pure; manifests and uses come in from outside.
package graph
