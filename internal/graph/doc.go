// Package graph knows the related images of a repository: the children of an index and
// the referrers of a subject, such as signatures. It takes the listing of the
// repository, the children of its indexes and what a policy wants of each image. It
// returns what may be done with each image, and which images follow others.
//
// The parents of an image are the indexes that list it and the subjects that it refers
// to. Two rules hold for every image:
//
//   - An image is deleted or archived only if each of its parents is too. A child of a
//     kept index is kept, and so is the signature of a kept image, at any age.
//   - An image that only its parents reference follows the last of them. It is untagged,
//     or all its tags name its subject.
//
// The package has no I/O.
package graph
