package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// large returns 10,000 names and 200 entries of several patterns, of which the
// last decides about most names.
func large(tb testing.TB) (config.Config, []string) {
	tb.Helper()
	var entries []string
	for i := range 200 {
		entries = append(entries, fmt.Sprintf(
			`{"repositories": ["team-%d/*", "*/service-%d", "base-%d", "*-%d-*-nightly"], "policy": "none"}`, i, i, i, i))
	}
	entries = append(entries[:199], `{}`)
	c, problems := config.Parse([]byte(`{"policies": [` + strings.Join(entries, ",") + `]}`))
	if len(problems) > 0 {
		tb.Fatal(problems)
	}
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("division-%d/product-%d/component-%d", i%7, i%300, i)
	}
	return c, names
}

func noTags() (map[string]string, error) { return nil, nil }

func selectAll(tb testing.TB, c *config.Config, names []string) {
	tb.Helper()
	for _, name := range names {
		if entry, err := c.Entry(name, noTags); entry == nil || err != nil {
			tb.Fatalf("Entry(%s) = %v, %v", name, entry, err)
		}
	}
}

func BenchmarkEntry(b *testing.B) {
	c, names := large(b)
	b.ReportAllocs()
	for b.Loop() {
		selectAll(b, &c, names)
	}
}

// A linear scan is fast enough; ten times as long, under whatever load, is not.
func TestSelectionIsNoBurden(t *testing.T) {
	t.Parallel()
	c, names := large(t)
	best := time.Hour
	for range 5 {
		start := time.Now()
		selectAll(t, &c, names)
		best = min(best, time.Since(start))
	}
	if best > time.Second {
		t.Errorf("10,000 repositories and 200 entries take %v", best)
	}
}
