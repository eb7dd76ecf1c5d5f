// Package imagepage reads one answer of DescribeImages, a page of up to 1,000 image
// details, straight into evaluator.Image values. It is pure. It is at least as strict
// as the SDK's decoder, and also refuses text that is not JSON, text after the end of
// the JSON, and times in words. It reads times exactly. The SDK reads them through a
// float64, loses a millisecond now and then, and returns wrong times for numbers that
// do not fit into 64 bits.
package imagepage
