// Package imagepage reads one answer of DescribeImages, a page of up to 1,000
// image details, straight into evaluator.Image values. It is pure, and as
// strict as the SDK's decoder or stricter: it takes no page that the SDK
// refuses, and of those that the SDK takes it refuses what is no JSON, what
// goes on after its end, and times that are words. Times are exact, where the SDK's
// go through a float64, lose a millisecond now and then, and turn into others where
// 64 bits do not hold them.
package imagepage
