//go:build race

package awstest

// Race says whether the race detector is on, which makes tests slow.
const Race = true
