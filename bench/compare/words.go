package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

// words puts the values of the options into a text.
func (o options) words(text string) string {
	latency := strings.Replace(o.latency.String(), "ms", " ms", 1)
	return strings.NewReplacer(
		"{size}", sizeWords(o.size), "{million}", sizeWords(o.million), "{huge}", sizeWords(o.huge),
		"{accounts}", accountsWords(o.accounts, latency),
		"{latency}", latency,
	).Replace(text)
}

func sizeWords(s bench.Size) string {
	if s.Repositories == 1 {
		return "1 repository of " + thousands(s.Images) + " images"
	}
	return thousands(s.Repositories) + " repositories × " + thousands(s.Images) + " images"
}

func accountsWords(s accounts.Scale, latency string) string {
	return fmt.Sprintf("plan of %s, and %d of %d; uses from %s accounts × %d Regions, %s per call, %d accounts denied and Lambda in %d others, %d %% of the calls throttled",
		sizeWords(bench.Size{Repositories: s.Repositories, Images: s.Images}), s.Small, bench.SmallImages, thousands(s.Accounts), s.Regions, latency, s.Denied, s.Denied, s.Throttled)
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func counts(calls map[string]int) string {
	var parts []string
	for _, operation := range slices.Sorted(maps.Keys(calls)) {
		parts = append(parts, thousands(calls[operation])+" "+operation)
	}
	return strings.Join(parts, ", ")
}

// median returns the median of the values; of two middle values the greater one.
func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
