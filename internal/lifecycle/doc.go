// Package lifecycle reads lifecycle policies of Amazon ECR: the document that
// says which images of a repository expire or go to the archive. What it
// returns is checked as a whole, so that evaluation cannot fail. It reads two
// dialects, ECR's own and an extended one.
//
// # Grammar
//
// The grammar is that of
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
// and of the rules at
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html:
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
// Not every combination is legal:
//
//	countType               expire  transition  storageClass   countUnit  countNumber
//	imageCountMoreThan      yes     yes         standard       absent     from 1
//	sinceImagePushed        yes     yes         standard       days       from 1
//	sinceImagePulled        no      yes         standard       days       from 1
//	sinceImageTransitioned  yes     no          archive        days       from 90
//
// An absent storageClass means standard; archive must be written out. A tagged
// rule has exactly one of the two lists, any other rule none. Integers end at
// 2147483647. A pattern has at most four *.
//
// Across the rules, every rulePriority is given once. In each storage class
// there is at most one untagged rule and at most one rule for any image, whose
// rulePriority is the highest of the class; and no two rules have the same
// list.
//
// # The extended dialect
//
// Policies that the cleaner applies itself may say more:
//
//	selection = {..., "tagRegexList"?: [string, ...], "tagMatch"?: "all" | "any",
//	             "tagExcludePatternList"?: [string, ...], "keepNewest"?: int}
//	action    = ... | {"type": "retain"} | {"type": "untag"}
//
// A tagged rule then has at most one of three lists, and sinceImagePulled goes
// with expire as well. tagMatch needs a list; untag needs one, too.
// tagExcludePatternList does not go with untagged; a rule for any image that has
// it is held neither to be the only one nor to be the last. keepNewest, from 1,
// needs an age count type. A rule that retains has neither count fields nor
// keepNewest, and either storage class. Lists are compared together with
// tagMatch and the excluded patterns, and a tagged rule without a list is one
// with the same list as another of that kind.
//
// In AWS's dialect each of these is a fault that names the extension.
//
// # Where AWS is silent
//
//   - Case counts in tags, patterns and prefixes. In a pattern only * is
//     special, and a pattern without one matches that tag alone.
//   - An empty list and an empty entry are errors. What ECR answers to an empty
//     entry is not established. An entry that is repeated in its list is a
//     warning, and so is one with characters that no tag can have.
//   - Lists are the same when they are of the same kind and have the same
//     entries in any order. Lists that share an entry are a warning, unless one of
//     the rules excludes something and so leaves it to the other.
//   - A top-level key other than "rules" is an error, as is a repeated key.
//   - "storageClass": "standard" may be written out where it is the default.
//
// # Warnings
//
// What is legal and most likely not meant is a warning. Besides the above:
//
//   - a rule that never acts, because one with a lower rulePriority matches every
//     image that it matches, as far as the texts of the two prove it; so do a rule
//     for the tagged and one for the untagged together for one for any image;
//   - a prefix that ends in a short number, such as v1, which matches v10 as well;
//   - a countNumber that reads like "never" and is soon reached, 999 or 1000, in a
//     rule whose tags may be on that many images.
//
// What a registry holds is needed to know more; see package pitfall.
//
// # Faults
//
// Reading does not stop at the first fault: all of them are reported, each with
// its path, line and column. A fault that would follow from another one is not
// reported, and rules are compared only by what could be read of them.
package lifecycle
