package report

import (
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// AppendJSON appends what encoding/json makes of the report, in one line that a
// terminal shows as it is. Plans of many images take most of their time there.
func (r *Image) AppendJSON(text []byte) []byte {
	o := object{append(text, '{')}
	o.text("imageDigest", r.ImageDigest)
	o.texts("imageTags", r.ImageTags)
	o.text("verdict", string(r.Verdict))
	if r.AppliedRulePriority != 0 {
		o.number("appliedRulePriority", int64(r.AppliedRulePriority))
	}
	o.text("reason", r.Reason)
	if len(r.ProtectedBy) > 0 {
		o.name("protectedBy")
		o.b = append(o.b, '[')
		for i, p := range r.ProtectedBy {
			o.b = append(next(o.b, i, ""), '{')
			o.text("kind", string(p.Kind))
			o.text("by", p.By)
			o.b = append(o.b, '}')
		}
		o.b = append(o.b, ']')
	}
	o.word("onExpire", string(r.OnExpire))
	if len(r.Untag) > 0 {
		o.texts("untag", r.Untag)
	}
	o.word("outcome", string(r.Outcome))
	o.word("message", r.Message)
	o.text("imageStatus", string(r.ImageStatus))
	o.time("imagePushedAt", r.ImagePushedAt)
	o.known("lastRecordedPullTime", r.LastRecordedPullTime)
	o.known("lastActivatedAt", r.LastActivatedAt)
	o.known("childrenPulledAt", r.ChildrenPulledAt)
	o.known("manifestReadFrom", r.ManifestReadFrom)
	o.known("manifestReadTo", r.ManifestReadTo)
	o.number("imageSizeInBytes", r.ImageSizeInBytes)
	return append(o.b, '}')
}

// An object is the JSON text of an object that is being written, those within it
// included. Names must need no escapes.
type object struct{ b []byte }

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) text(name, value string) {
	o.name(name)
	o.b = jsondoc.AppendString(o.b, value)
}

// word leaves out what is empty.
func (o *object) word(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) texts(name string, values []string) {
	o.name(name)
	if values == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, '[')
	for i, value := range values {
		o.b = jsondoc.AppendString(next(o.b, i, ""), value)
	}
	o.b = append(o.b, ']')
}

func (o *object) number(name string, value int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

func (o *object) time(name string, value time.Time) {
	o.name(name)
	o.b = append(value.AppendFormat(append(o.b, '"'), time.RFC3339Nano), '"')
}

// known leaves out the zero time.
func (o *object) known(name string, value time.Time) {
	if !value.IsZero() {
		o.time(name, value)
	}
}
