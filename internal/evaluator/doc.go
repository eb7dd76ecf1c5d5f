// Package evaluator decides what a lifecycle policy does with each image of a
// repository. It follows the evaluation rules that AWS documents for ECR:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
//
// # Match, mark, claim, shield
//
// The rules are gone through by ascending rulePriority. A rule
//
//   - matches every image of its storage class whose tags meet its tagStatus
//     and its list. Each entry of the list must be met by some tag of the
//     image; different tags may meet different entries, and tags beyond these
//     do not matter.
//   - marks, of the images it matches, those that its count type selects: all
//     but the countNumber newest, or those older than countNumber days. What
//     earlier rules did plays no part in this. An image that one of them
//     claimed or shields still takes one of the countNumber places.
//   - claims the images it marks that no earlier rule matches: its action is
//     their verdict.
//   - shields the images it matches and does not mark: no later rule can claim
//     them. Matching is enough to shield, the age or number does not matter.
//
// The first rule that matches an image therefore settles its verdict. The
// others matter only because the image counts for them.
//
// All of this stays within a storage class: ACTIVE images are of the class
// standard, ARCHIVED ones of the class archive, and a rule neither counts nor
// shields an image of the other class.
//
// # The extended dialect
//
// The extensions change what a rule matches, what it marks, or what a claim
// does, and nothing else:
//
//   - matches: the list may be of expressions, one met entry of it may be enough
//     (tagMatch "any"), tagged may have no list, and an image with a tag that
//     matches tagExcludePatternList is not matched.
//   - marks: with keepNewest the newest of all matched images are not marked,
//     whatever their age. A rule that retains marks nothing.
//   - claims: a rule that untags claims an image for the removal of the tags
//     that match its list. An image that would lose its last tag is shielded
//     instead.
//
// # Which time counts
//
// An image that was archived and restored counts as pushed when it was
// restored (lastActivatedAt), both for imageCountMoreThan, where AWS says so,
// and for sinceImagePushed, where its pages disagree and this reading keeps
// longer. sinceImagePulled counts from the last recorded pull; from the
// restore, if the image was not pulled since; from the push, if it was never
// pulled. sinceImageTransitioned counts from lastArchivedAt.
//
// # Where AWS is silent
//
//   - Older than N days means strictly more than N times 24 hours, to the
//     nanosecond. Whole days are not rounded.
//   - Of two images pushed at the same instant, the one whose digest sorts
//     first counts as older.
//   - An image that is neither ACTIVE nor ARCHIVED matches no rule.
//   - Tags are compared byte by byte: case counts.
//   - An archived image without lastArchivedAt has no age; it is matched and
//     kept.
//
// An image that an index refers to is judged like any other; ECR refuses to
// remove it only when the removal is tried.
package evaluator
