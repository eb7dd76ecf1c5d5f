// Command fleet simulates executions of the fleet's state machine: how long they take, what
// they cost, and which setting decides. It calls nothing. Its table is in docs/fleet.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

func main() {
	p := flags(flag.CommandLine)
	flag.Parse()
	Print(os.Stdout, p)
}

// Print prints three tables: fleets of other sizes, the bottleneck, and the settings.
func Print(w io.Writer, p *Parameters) {
	fmt.Fprintln(w, "| accounts | images | minutes | Step Functions | Lambda | S3 | in all | transitions | Lambda seconds | requests to ECR | in-use requests | most runs |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, accounts := range sizes(p.Accounts) {
		q := *p
		q.Accounts = accounts
		q.Images = int(float64(p.Images) / float64(p.Accounts) * float64(accounts))
		r := Simulate(&q)
		fmt.Fprintf(w, "| %s | %s | %.1f | $%.3f | $%.3f | $%.3f | $%.3f | %s | %s | %s | %s | %d |\n", count(accounts), count(q.Images), r.Duration.Minutes(),
			r.Dollars.StepFunctions, r.Dollars.Lambda, r.Dollars.S3, r.Dollars.Sum(), count(r.Transitions), count(int(r.LambdaSeconds)),
			count(r.ECRCalls), count(r.ScanCalls), r.MostRuns)
	}
	r := Simulate(p)
	fmt.Fprintf(w, "\nOf %s, %s are the map Know and %s the map Act, in %s and %s. The largest registry alone takes %s. Unfinished registries: %d. %s\n\n",
		minutes(r.Duration), minutes(r.Knowing), minutes(r.Acting), words.Count(r.Cycles, "cycle", "cycles"), words.Count(r.Runs, "run", "runs"),
		minutes(r.Largest), r.Unfinished, bottleneck(p, &r))
	fmt.Fprintln(w, "| setting | from | to | minutes | USD |\n|---|---|---|---|---|")
	fmt.Fprintf(w, "| as above | | | %.1f | $%.2f |\n", r.Duration.Minutes(), r.Dollars.Sum())
	for _, k := range knobs {
		q := *p
		from, to := k.turn(&q)
		r := Simulate(&q)
		fmt.Fprintf(w, "| %s | %s | %s | %.1f | $%.2f |\n", k.name, from, to, r.Duration.Minutes(), r.Dollars.Sum())
	}
}

// sizes are the numbers of accounts that the table has.
func sizes(most int) []int {
	all := []int{}
	for n := 1; n < most; n *= 10 {
		if n != 10 {
			all = append(all, n)
		}
	}
	return append(all, most)
}

// bottleneck says what an execution waits for most.
func bottleneck(p *Parameters, r *Result) string {
	switch {
	case r.Knowing > r.Acting:
		return "The bottleneck is the map Know: raise MaxConcurrencyKnow."
	case float64(r.Largest) > 0.8*float64(r.Acting):
		return fmt.Sprintf("The bottleneck is the largest registry: ECR accepts %.0f calls a second from it.", p.ECRRate)
	}
	return "The bottleneck is the map Act: raise MaxConcurrencyAct."
}

// A knob is a setting that can be turned.
type knob struct {
	name string
	turn func(*Parameters) (from, to string)
}

func number(field func(*Parameters) *int, factor float64) func(*Parameters) (string, string) {
	return func(p *Parameters) (from, to string) {
		n := field(p)
		from = count(*n)
		*n = int(float64(*n) * factor)
		return from, count(*n)
	}
}

func float(field func(*Parameters) *float64, factor float64) func(*Parameters) (string, string) {
	return func(p *Parameters) (from, to string) {
		n := field(p)
		from = fmt.Sprintf("%g", *n)
		*n *= factor
		return from, fmt.Sprintf("%g", *n)
	}
}

func duration(field func(*Parameters) *time.Duration, factor float64) func(*Parameters) (string, string) {
	return func(p *Parameters) (from, to string) {
		d := field(p)
		from = d.String()
		*d = time.Duration(float64(*d) * factor)
		return from, d.String()
	}
}

var knobs = []knob{
	{"`MaxConcurrencyKnow`", number(func(p *Parameters) *int { return &p.Know }, 4)},
	{"`MaxConcurrencyAct`", number(func(p *Parameters) *int { return &p.Act }, 4)},
	{"both", func(p *Parameters) (string, string) {
		from := count(p.Know) + " and " + count(p.Act)
		p.Know *= 4
		p.Act *= 4
		return from, count(p.Know) + " and " + count(p.Act)
	}},
	{"`CallConcurrency`", number(func(p *Parameters) *int { return &p.CallConcurrency }, 0.03125)},
	{"ECR calls a second of a registry", float(func(p *Parameters) *float64 { return &p.ECRRate }, 0.05)},
	{"ECR calls a second of a registry", float(func(p *Parameters) *float64 { return &p.ECRRate }, 5)},
	{"latency of ECR", duration(func(p *Parameters) *time.Duration { return &p.ECRLatency }, 4)},
	{"in-use calls in an account and Region", number(func(p *Parameters) *int { return &p.ScanCalls }, 10)},
	{"`fleet.listsMaxAgeMinutes`", duration(func(p *Parameters) *time.Duration { return &p.ListsMaxAge }, 0.25)},
	{"share of images removed", float(func(p *Parameters) *float64 { return &p.Expired }, 15)},
}

// count writes a number with commas.
func count(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.1f minutes", d.Minutes()) }
