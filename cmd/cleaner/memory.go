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
	heapPercent = 45
	// gcPercent has garbage collected less often than is usual. A run makes much
	// of it and keeps little; near the limit it is collected as often as it must.
	gcPercent = 200
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

// limitMemory sets the limit and gcPercent, unless GOMEMLIMIT and GOGC have.
func limitMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")))
	}
}
