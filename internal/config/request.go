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
	r.check(v, o)
	return r
}

func pointer(read func(*jsondoc.Value, int) int) func(*jsondoc.Value, *int) *int {
	return func(v *jsondoc.Value, _ *int) *int {
		n := read(v, 0)
		return &n
	}
}
