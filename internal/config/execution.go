package config

import (
	"math"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A FleetRequest is the part of a request that an execution of the fleet sends.
type FleetRequest struct {
	Execution    string // the name of the execution; empty for other requests
	Step         Step   // empty for the request of one registry or place
	Cycle        int    // of the lists, from 1
	Continuation *Continuation
	Targets      []wildcard.Pattern // places that step targets selects, such as 222222222222/*; nil is all
}

// A Continuation says where the next run for a registry begins, after a run that its time
// ended. It has no names.
type Continuation struct {
	Round int `json:"round"` // the number of the next run, from 2
	// First is the position where the first run began, and Cursor that of the first repository
	// which is not handled. A position is 16 hexadecimal digits of the hash of a name.
	First  string `json:"first"`
	Cursor string `json:"cursor"`
	// Done has the positions from Cursor on that are handled; no more than run at a time.
	Done []string `json:"done,omitempty"`
	// Left is how many images may still be removed: by the general maxDeletions, then by that
	// of each entry with its own, in their order.
	Left []int `json:"left"`
	// Configuration is the hash of the configuration of the run before.
	Configuration string `json:"configuration"`
}

// A Step of an execution is a request that concerns all registries.
type Step string

// The steps of an execution in their order.
const (
	StepTargets Step = "targets" // lists the registries and the places to ask
	StepBarrier Step = "barrier" // reads which places have a list
	StepNext    Step = "next"    // lists the registries that need a new cycle
	StepJudge   Step = "judge"   // writes the report of the fleet
)

// The limits of a continuation's lists.
const (
	maxDone = 512  // more repositories than a run handles ahead of the first open one
	maxLeft = 1000 // the general limit, and those of entries
)

func readPlace(v *jsondoc.Value, _ *Place) *Place {
	var p Place
	if o, ok := v.Object("account", "region"); ok {
		set(&p.Account, o.Require("account"), like(accountID, "222222222222"))
		set(&p.Region, o.Require("region"), like(regionName, "eu-west-1"))
	}
	return &p
}

func (f *FleetRequest) read(o jsondoc.Object) {
	set(&f.Execution, o.Get("execution"), like(executionName, "fleet-2027-01-31"))
	set(&f.Step, o.Get("step"), among(StepTargets, StepBarrier, StepNext, StepJudge))
	set(&f.Cycle, o.Get("cycle"), between(1, 1000))
	set(&f.Continuation, o.Get("continuation"), readContinuation)
	set(&f.Targets, o.Get("targets"), readSelection)
}

// check adds a problem for each field that does not suit the others.
func (r *Request) check(v *jsondoc.Value, o jsondoc.Object) {
	refuse := func(reason string, names ...string) {
		for _, name := range names {
			if field := o.Get(name); field != nil && !field.IsNull() && !field.Faulty() {
				field.Problem("%s", reason)
			}
		}
	}
	if o.Get("target") == nil {
		refuse(`is of no use without "target"; add the target, or leave it out`, "continuation")
	}
	if r.Step != StepTargets {
		refuse(`belongs to "step": "targets"; leave it out`, "targets")
	}
	if o.Get("execution") == nil {
		refuse(`belongs to an execution of the fleet; add "execution", or leave it out`, "step", "cycle")
		if r.Mode == References {
			refuse(`does not suit "mode": "references" without "execution"; leave one of them out`, "target")
		}
		return
	}
	refuse(`does not suit "execution", which handles whole registries by the configuration; leave it out`, "repositories", "policy",
		"maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent")
	if r.Mode == References || o.Get("step") != nil {
		refuse("is only for a run that cleans a registry; leave it out", "continuation")
	}
	o.RequireBecause("mode", `an execution of the fleet needs it; add "mode": "plan" or "apply"`)
	switch {
	case o.Get("step") != nil:
		refuse(`does not suit "step", which is for all registries; leave one of them out`, "target")
		if r.Mode == References {
			refuse(`must be "plan" or "apply" with "step"`, "mode")
		}
	case o.Get("target") == nil:
		v.Problem(`has "execution" and neither "step" nor "target"; add one of them`)
		return
	}
	if r.Step != StepTargets && r.Step != StepJudge && !o.Get("step").Faulty() {
		o.RequireBecause("cycle", `add the number of the cycle, such as "cycle": 1`)
	}
}

// readContinuation reads a continuation. Null is none: a state machine cannot leave a field out.
func readContinuation(v *jsondoc.Value, _ *Continuation) *Continuation {
	var c Continuation
	if v.IsNull() {
		return nil
	}
	o, ok := v.Object("round", "first", "cursor", "done", "left", "configuration")
	if !ok {
		return &c
	}
	at := like(position, "00c0ffee00c0ffee")
	set(&c.Round, o.Require("round"), between(2, math.MaxInt32))
	set(&c.First, o.Require("first"), at)
	set(&c.Cursor, o.Require("cursor"), at)
	set(&c.Done, o.Get("done"), atMost(maxDone, listOf(at)))
	set(&c.Left, o.Require("left"), atMost(maxLeft, readCounts))
	set(&c.Configuration, o.Require("configuration"), like(configurationHash, "sha256: and 64 digits"))
	return &c
}

// atMost returns a reader of a list with a maximum length.
func atMost[T any](most int, read func(*jsondoc.Value, []T) []T) func(*jsondoc.Value, []T) []T {
	return func(v *jsondoc.Value, fallback []T) []T {
		if items, _ := v.Array(); len(items) > most {
			v.Problem("has %d entries, and at most %d are read; give the continuation of the answer unchanged", len(items), most)
			return fallback
		}
		return read(v, fallback)
	}
}

func readCounts(v *jsondoc.Value, _ []int) []int {
	counts := []int{}
	items, _ := v.Array()
	for _, item := range items {
		counts = append(counts, readCount(item, 0))
	}
	if len(counts) == 0 && !v.Faulty() {
		v.Problem("is empty; give the continuation of the answer unchanged")
	}
	return counts
}

var (
	accountID         = expression(`^[0-9]{12}$`)
	executionName     = expression(`^[A-Za-z0-9_-]{1,80}$`) // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
	position          = expression(`^[0-9a-f]{16}$`)
	configurationHash = expression(`^sha256:[0-9a-f]{64}$`)
)
