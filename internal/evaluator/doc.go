// Package evaluator decides, for each image of a repository, which action a lifecycle
// policy asks for. It follows the evaluation rules that AWS documents for ECR:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
//
// # Match, mark, decide
//
// The rules are applied by ascending rulePriority. A rule
//
//   - matches every image of its storage class whose tags satisfy its tagStatus and its
//     list. Each entry of the list needs a tag of the image that matches it. Different
//     tags may match different entries, and other tags do not matter.
//   - marks some of the images it matches: all but the countNumber newest, or those
//     older than countNumber days. Earlier rules do not change this: images that they
//     decided still count.
//   - decides the images that it matches and no earlier rule matches. If it marks such an
//     image, the rule is applied: its action is the verdict. If it does not, the image is
//     kept. Later rules never act on the image.
//
// Rules and images of different storage classes do not affect each other. ACTIVE images
// are of the class standard, ARCHIVED images of the class archive. docs/policies.md
// describes the extensions.
//
// # Which time counts
//
//   - imageCountMoreThan and sinceImagePushed count from the push, or from the restore
//     (lastActivatedAt) of an image that was archived and restored. For sinceImagePushed
//     the pages of AWS contradict each other; this reading keeps images longer.
//   - sinceImagePulled counts from the last recorded pull. For an image that was not
//     pulled since its restore it counts from the restore, and for an image that was
//     never pulled from the push.
//   - sinceImageTransitioned counts from lastArchivedAt.
//
// # Where AWS is silent
//
// docs/differences.md lists the decisions. Besides them,
//
//   - an archived image without lastArchivedAt is matched and kept;
//   - a child of an index is evaluated like any other image. ECR refuses its removal.
package evaluator
