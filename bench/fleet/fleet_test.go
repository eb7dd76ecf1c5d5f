package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// small returns a fleet whose numbers can be checked by hand: one registry of 1,000,000
// images in 5,000 repositories, of which nothing is removed, at 10 calls a second.
func small() *Parameters {
	return &Parameters{
		Accounts: 1, Regions: 1, Images: 1_000_000, PerRepository: 200, ECRRate: 10, ECRLatency: 100 * time.Millisecond, S3Latency: 40 * time.Millisecond,
		ScanCalls: 100, ScanLatency: 60 * time.Millisecond, ScanConcurrency: 10, CallConcurrency: 32, Know: 1, Act: 1,
		Timeout: 15 * time.Minute, ListsMaxAge: time.Hour, MaxRounds: 40, MemoryMB: 256, Start: time.Second,
	}
}

// 5,000 pages and 5,000 policies at 10 calls a second take 1,000 s, which is two runs.
func TestOneLargeRegistry(t *testing.T) {
	t.Parallel()
	r := Simulate(small())
	if r.Runs != 2 || r.Cycles != 1 || r.Unfinished != 0 || r.ECRCalls < 10_007 || r.ECRCalls > 10_020 {
		t.Errorf("%+v", r)
	}
	if r.Acting < 1000*time.Second || r.Acting > 1010*time.Second || r.Knowing < 1600*time.Millisecond || r.Knowing > 4*time.Second {
		t.Errorf("knowing %s, acting %s", r.Knowing, r.Acting)
	}
}

// When the lists are too old after 10 minutes, two cycles are needed.
func TestOldListsNeedAnotherCycle(t *testing.T) {
	t.Parallel()
	p := small()
	p.ListsMaxAge = 10 * time.Minute
	if r := Simulate(p); r.Cycles != 2 || r.Unfinished != 0 || r.Places != 1 || r.ScanCalls != 200 {
		t.Errorf("%+v", r)
	}
	p.ListsMaxAge = 2 * time.Second // older than that when the second map begins
	if r := Simulate(p); r.Cycles != 1 || r.Unfinished != 1 || r.Runs != 0 {
		t.Errorf("%+v", r)
	}
	p.ListsMaxAge, p.MaxRounds = time.Hour, 1
	if r := Simulate(p); r.Unfinished != 1 || r.Runs != 1 {
		t.Errorf("%+v", r)
	}
}

// The calls do not depend on the settings, and more at a time is never slower.
func TestMoreAtATimeIsNotSlower(t *testing.T) {
	t.Parallel()
	p := small()
	p.Accounts, p.Regions, p.Skew, p.Empty, p.Expired = 100, 4, 1.5, 0.5, 0.02
	before := Simulate(p)
	for _, n := range []int{2, 8, 64, 512} {
		p.Know, p.Act = n, n
		r := Simulate(p)
		if r.Duration > before.Duration || r.Unfinished > 0 || r.ScanCalls != before.ScanCalls*r.Cycles/before.Cycles {
			t.Errorf("with %d: %+v, before %+v", n, r, before)
		}
		before = r
	}
	if before.Acting < before.Largest {
		t.Errorf("%s, and the largest registry alone takes %s", before.Acting, before.Largest)
	}
}

// The tables have a row for each size of the fleet and for each setting that is turned.
func TestPrint(t *testing.T) {
	t.Parallel()
	p := small()
	p.Accounts = 1000
	var out strings.Builder
	Print(&out, p)
	for _, row := range []string{"| 1 | 1,000 |", "| 100 | 100,000 |", "| 1,000 | 1,000,000 |", "| `MaxConcurrencyKnow` | 1 | 4 |", "| both | 1 and 1 | 4 and 4 |"} {
		if !strings.Contains(out.String(), "\n"+row) {
			t.Errorf("there is no row %s in\n%s", row, out.String())
		}
	}
	if n := strings.Count(out.String(), "| $"); n < 3+len(knobs) {
		t.Errorf("there are %d amounts in\n%s", n, out.String())
	}
}

// The bottleneck is what most of the time is spent for.
func TestBottleneck(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]Result{
		"MaxConcurrencyKnow": {Knowing: time.Hour, Acting: time.Minute},
		"10 calls a second":  {Acting: time.Hour, Largest: time.Hour},
		"MaxConcurrencyAct":  {Acting: time.Hour, Largest: time.Minute},
	} {
		if got := bottleneck(small(), &r); !strings.Contains(got, want) {
			t.Errorf("%q has no %q", got, want)
		}
	}
}

// The tables in docs/fleet.md are what the program prints without a flag.
func TestTheDocumentationHasTheTables(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	Print(&out, flags(flag.NewFlagSet("", flag.ContinueOnError)))
	if !strings.Contains(read(t, "../../docs/fleet.md"), out.String()) {
		t.Errorf("docs/fleet.md has other tables; paste the output of go run ./bench/fleet:\n%s", out.String())
	}
}

func TestTheDefaultsAreThoseOfTheTemplate(t *testing.T) {
	t.Parallel()
	p, template := flags(flag.NewFlagSet("", flag.ContinueOnError)), read(t, "../../deploy/fleet.yaml")
	for name, want := range map[string]int{
		"MaxConcurrencyKnow": p.Know, "MaxConcurrencyAct": p.Act, "CallConcurrency": p.CallConcurrency,
		"MemorySize": p.MemoryMB, "Timeout": int(p.Timeout.Seconds()),
	} {
		found := regexp.MustCompile(`\n  ` + name + `:\n(?:    .*\n)*?    Default: (\d+)\n`).FindStringSubmatch(template)
		if found == nil || found[1] != fmt.Sprint(want) {
			t.Errorf("%s is %d here and %q in deploy/fleet.yaml", name, want, found)
		}
	}
}

// The states that an execution enters, when all is handled, are those of its definition.
func TestTheStatesAreThoseOfTheDefinition(t *testing.T) {
	t.Parallel()
	var definition machine
	if err := json.Unmarshal([]byte(read(t, "../../deploy/fleet.asl.json")), &definition); err != nil {
		t.Fatal(err)
	}
	cycle := 0
	for name := "Know"; name != "Judge"; name = definition.States[name].next() {
		cycle++
	}
	ends := 0 // of executions that end before the first map, or are not handled
	for _, name := range []string{"ModeRefused", "AnotherExecutionRuns", "NotAllHandled"} {
		if _, found := definition.States[name]; found {
			ends++
		}
	}
	child := func(name string) int { return len(definition.States[name].ItemProcessor.States) }
	want := []int{len(definition.States) - ends - cycle, cycle, child("Know"), child("Act")}
	got := []int{statesPerExecution, statesPerCycle, statesPerPlace, statesPerRegistry + statesPerRun}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("an execution, a cycle, a place and a registry enter %v states here and %v in the definition", got, want)
	}
}

type machine struct{ States map[string]state }

type state struct {
	Next, Default string
	ItemProcessor machine
}

// next returns the state after this one when no registry is left.
func (s state) next() string { return s.Next + s.Default }

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
