// Package lifecycle reads lifecycle policies of Amazon ECR. [Parse] checks a policy
// completely, so that its evaluation cannot fail. It reads two dialects: ECR's own and
// an extended one.
//
// # Grammar
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
// and https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
// define the grammar:
//
//	policy    = {"rules": [rule, ...]}                            1 to 50 rules
//	rule      = {"rulePriority": int, "description"?: string,
//	             "selection": selection, "action": action}
//	selection = {"tagStatus": "tagged" | "untagged" | "any",
//	             "tagPatternList"?: [string, ...], "tagPrefixList"?: [string, ...],
//	             "storageClass"?: "standard" | "archive",
//	             "countType": "imageCountMoreThan" | "sinceImagePushed" |
//	                          "sinceImagePulled" | "sinceImageTransitioned",
//	             "countUnit"?: "days", "countNumber": int}
//	action    = {"type": "expire"} |
//	            {"type": "transition", "targetStorageClass": "archive"}
//
// These combinations are valid:
//
//	countType               expire  transition  storageClass   countUnit  countNumber
//	imageCountMoreThan      yes     yes         standard       absent     from 1
//	sinceImagePushed        yes     yes         standard       days       from 1
//	sinceImagePulled        no      yes         standard       days       from 1
//	sinceImageTransitioned  yes     no          archive        days       from 90
//
// Without storageClass a rule is for the standard class. A tagged rule has exactly one
// of the two lists, any other rule none. The greatest integer is 2147483647. A pattern
// has at most four *.
//
// Each rulePriority is unique. A storage class has at most one untagged rule and at most
// one rule for any image, whose rulePriority is the highest of the class. No two rules
// have the same list.
//
// # The extended dialect
//
//	selection = {..., "tagRegexList"?: [string, ...], "tagMatch"?: "all" | "any",
//	             "tagExcludePatternList"?: [string, ...], "keepNewest"?: int}
//	action    = ... | {"type": "retain"} | {"type": "untag"}
//
// It also differs as follows:
//
//   - A tagged rule has at most one of the three lists. tagMatch and untag need one.
//   - expire may have sinceImagePulled.
//   - tagExcludePatternList is not valid with untagged. A rule for any image that has
//     it need not be the only one or the last.
//   - keepNewest, from 1, needs an age count type.
//   - A rule that retains has no count fields and no keepNewest. It may be for either
//     storage class.
//   - Two lists are the same only if tagMatch and the excluded patterns are too. Two
//     tagged rules without a list have the same list.
//
// In AWS's dialect each extension is a fault that names it. docs/differences.md lists the
// decisions where AWS is silent.
//
// # Problems
//
// Reading continues after a fault, but a fault that follows from another one is not
// reported. A warning is for a valid policy that is probably a mistake. Package pitfall gives
// the warnings that need the images of a repository.
package lifecycle
