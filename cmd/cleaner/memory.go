package main

import (
	"runtime/debug"
	"strconv"
)

const (
	megabyte = 1 << 20
	// leastMemory is that of the smallest function, in megabytes.
	leastMemory = 128
	// heapPercent is the part of the function's memory that the heap is to keep
	// to; the rest is for the binary, stacks and what the kernel counts.
	heapPercent = 50
)

// memoryLimit returns what the garbage collector shall keep to in bytes, given
// the memory of the function in megabytes as Lambda names it in
// AWS_LAMBDA_FUNCTION_MEMORY_SIZE; what is no number counts as the smallest.
func memoryLimit(size string) int64 {
	n, err := strconv.ParseInt(size, 10, 32)
	if err != nil || n < leastMemory {
		n = leastMemory
	}
	return n * megabyte * heapPercent / 100
}

// limitMemory sets the limit, unless GOMEMLIMIT has set one.
func limitMemory(getenv func(string) string) {
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")))
	}
}
