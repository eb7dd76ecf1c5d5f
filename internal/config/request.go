package config

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// MaxRequestBytes is the greatest length of an event, which is Lambda's own
// limit for a synchronous call.
const MaxRequestBytes = 6 << 20

// A Request is what one run asks for on top of the configuration. The zero
// value asks for nothing.
type Request struct {
	// Mode is empty when the request names none.
	Mode Mode
	// Repositories narrows the selection; nil means no narrowing.
	Repositories []wildcard.Pattern
	// Limits narrow those of the configuration; nil means no narrowing.
	MaxDeletions, MaxDeletionsPerRepository, MaxDeletedPercent *int
	// Policy, when set, stands in for every policy of the configuration. It
	// is for planning only.
	Policy *lifecycle.Policy
}

// ParseRequest reads the event of one run: a request, or an EventBridge
// envelope (recognised by "detail-type") whose "detail" is the request, as an
// object or as a string that holds one. Other fields of an envelope are
// ignored, unknown fields of a request are not.
func ParseRequest(event []byte) (Request, jsondoc.Problems) {
	if len(event) > MaxRequestBytes {
		return Request{}, jsondoc.Problems{{
			Line: 1, Column: 1,
			Message: fmt.Sprintf("has %d bytes; an event has at most %d", len(event), MaxRequestBytes),
		}}
	}
	doc := jsondoc.Parse(event)
	r := readEvent(doc.Root())
	return r, doc.Problems()
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

// readEmbedded reads a request out of a string, as EventBridge Scheduler's
// default event has it.
func readEmbedded(v *jsondoc.Value) Request {
	text, _ := v.String()
	inner := jsondoc.Parse([]byte(text))
	r := readRequest(inner.Root())
	for _, p := range inner.Problems() {
		if p.Warning {
			v.Warn("holds a request that is odd at %s", p)
		} else {
			v.Problem("holds a request with a fault at %s", p)
		}
	}
	return r
}

func readRequest(v *jsondoc.Value) Request {
	var r Request
	o, ok := v.Object("mode", "repositories", "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent", "policy")
	if !ok {
		return r
	}
	set(&r.Mode, o.Get("mode"), readMode)
	set(&r.Repositories, o.Get("repositories"), readSelection)
	set(&r.MaxDeletions, o.Get("maxDeletions"), pointer(readCount))
	set(&r.MaxDeletionsPerRepository, o.Get("maxDeletionsPerRepository"), pointer(readCount))
	set(&r.MaxDeletedPercent, o.Get("maxDeletedPercent"), pointer(readPercent))
	if policy := o.Get("policy"); policy != nil {
		p := lifecycle.FromValue(policy, lifecycle.Extended)
		r.Policy = &p
	}
	return r
}

func pointer(read func(*jsondoc.Value, int) int) func(*jsondoc.Value, *int) *int {
	return func(v *jsondoc.Value, _ *int) *int {
		n := read(v, 0)
		return &n
	}
}
