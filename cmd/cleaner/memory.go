package main

import (
	"runtime/debug"
	"strconv"
)

const (
	megabyte = 1 << 20
	// leastMemory is that of the smallest function, in megabytes.
	leastMemory = 128
	// heapPercent is the heap's part of the function's memory. The binary, the stacks and
	// the kernel need the rest.
	heapPercent = 45
	// gcPercent makes the garbage collector run less often than by default, because a run
	// keeps little of its garbage. Near the limit the collector runs as often as it must.
	gcPercent = 200
)

// memoryLimit returns the limit of the garbage collector in bytes. The size is the memory
// of the function in megabytes, as Lambda gives it in AWS_LAMBDA_FUNCTION_MEMORY_SIZE. If it
// is not a number, it counts as the smallest one.
func memoryLimit(size string) int64 {
	n, err := strconv.ParseInt(size, 10, 32)
	if err != nil || n < leastMemory {
		n = leastMemory
	}
	return n * megabyte * heapPercent / 100
}

// limitMemory sets the limit and gcPercent, unless GOMEMLIMIT and GOGC do.
func limitMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")))
	}
}
