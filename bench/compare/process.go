package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A measured is the measurement of a process.
type measured struct {
	wall, busy time.Duration // busy is the time of all processors
	peak       int64         // resident memory in bytes; 0 if it was not read
	out        []byte
}

// measure runs a program to its end.
func measure(cmd *exec.Cmd) (measured, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	out, err := cmd.Output()
	m := measured{wall: time.Since(start), out: out}
	if err != nil {
		return m, fmt.Errorf("%s: %w: %s", cmd.Path, err, &stderr)
	}
	m.busy = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return m, nil
}

// ticks is the unit of processor time in Linux.
const ticks = 10 * time.Millisecond

// processorTime returns the processor time of a process.
func processorTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may have any characters
	fields := strings.Fields(rest)
	user, userErr := strconv.Atoi(fields[11])
	system, err := strconv.Atoi(fields[12])
	if userErr != nil || err != nil {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	return time.Duration(user+system) * ticks, nil
}

// peakMemory returns the maximum resident memory of a process. The maximum of getrusage is
// wrong, because a child starts with the maximum of its parent.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmHWM", pid)
}
