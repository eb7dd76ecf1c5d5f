package config

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// MaxRequestBytes is the maximum length of an event, as of Lambda's synchronous calls.
const MaxRequestBytes = 6 << 20

// A Request narrows the configuration for one run. The zero value does not.
type Request struct {
	Mode Mode // may be empty
	// Repositories and the limits are nil if the request does not narrow them.
	Repositories                                               []wildcard.Pattern
	MaxDeletions, MaxDeletionsPerRepository, MaxDeletedPercent *int
	// Policy replaces every policy of the configuration if it is not nil.
	Policy *lifecycle.Policy
	// Target is the registry of the configuration's targets that the run is for, or nil.
	Target *Place
	FleetRequest
}

// ParseRequest reads the event of one run: a request, or an EventBridge envelope, which has
// "detail-type". Its "detail" is the request, as an object or as a string with the JSON text.
func ParseRequest(event []byte) (Request, jsondoc.Problems) {
	if len(event) > MaxRequestBytes {
		return Request{}, jsondoc.Refusal("has %d bytes; an event has at most %d", len(event), MaxRequestBytes)
	}
	doc := jsondoc.Parse(event)
	return readEvent(doc.Root()), doc.Problems()
}

func readEvent(v *jsondoc.Value) Request {
	if v.Member("detail-type") == nil {
		return readRequest(v)
	}
	detail := v.Member("detail")
	switch {
	case detail == nil:
		v.Problem(`is an EventBridge envelope without "detail"; put the request there, or {} for none`)
		return Request{}
	case detail.IsString():
		return readEmbedded(detail)
	}
	return readRequest(detail)
}

// readEmbedded reads a request from a string, which EventBridge Scheduler sends.
func readEmbedded(v *jsondoc.Value) Request {
	text, _ := v.String()
	inner := jsondoc.Parse([]byte(text))
	r := readRequest(inner.Root())
	for _, p := range inner.Problems() {
		if p.Warning {
			v.Warn("contains a request with a warning at %s", p)
		} else {
			v.Problem("contains a request with a fault at %s", p)
		}
	}
	return r
}

func readRequest(v *jsondoc.Value) Request {
	var r Request
	o, ok := v.Object("mode", "repositories", "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent", "policy",
		"target", "execution", "step", "cycle", "continuation", "targets")
	if !ok {
		return r
	}
	set(&r.Mode, o.Get("mode"), among(Plan, Apply, References))
	set(&r.Repositories, o.Get("repositories"), readSelection)
	set(&r.MaxDeletions, o.Get("maxDeletions"), pointer(readCount))
	set(&r.MaxDeletionsPerRepository, o.Get("maxDeletionsPerRepository"), pointer(readCount))
	set(&r.MaxDeletedPercent, o.Get("maxDeletedPercent"), pointer(readPercent))
	if policy := o.Get("policy"); policy != nil {
		p := lifecycle.FromValue(policy, lifecycle.Extended)
		r.Policy = &p
	}
	set(&r.Target, o.Get("target"), readPlace)
	r.FleetRequest.read(o)
	return r
}

func readPlace(v *jsondoc.Value, _ *Place) *Place {
	var p Place
	o, ok := v.Object("account", "region")
	if !ok {
		return &p
	}
	set(&p.Account, o.Get("account"), like(accountID, "222222222222"))
	set(&p.Region, o.Get("region"), like(regionName, "eu-west-1"))
	if o.Get("account") == nil || o.Get("region") == nil {
		v.Problem(`needs "account" and "region"`)
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
	text := func(v *jsondoc.Value, _ string) string { s, _ := v.String(); return s }
	set(&c.Round, o.Get("round"), readCount)
	set(&c.First, o.Get("first"), like(position, "00c0ffee00c0ffee"))
	set(&c.Cursor, o.Get("cursor"), like(position, "00c0ffee00c0ffee"))
	set(&c.Done, o.Get("done"), listOf(like(position, "00c0ffee00c0ffee")))
	items, _ := o.Get("left").Array()
	for _, item := range items {
		c.Left = append(c.Left, readCount(item, 0))
	}
	set(&c.Configuration, o.Get("configuration"), text)
	return &c
}

var (
	accountID     = expression(`^[0-9]{12}$`)
	executionName = expression(`^[A-Za-z0-9_-]{1,80}$`) // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
	position      = expression(`^[0-9a-f]{16}$`)
)

func pointer(read func(*jsondoc.Value, int) int) func(*jsondoc.Value, *int) *int {
	return func(v *jsondoc.Value, _ *int) *int {
		n := read(v, 0)
		return &n
	}
}
