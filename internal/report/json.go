package report

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// WriteJSON writes the report as indented JSON text that is safe to print on a terminal.
// Each image is on one line.
func (r *Report) WriteJSON(w io.Writer) error {
	text, err := appendMembers(nil, "", struct {
		*Report
		Repositories []Repository `json:"repositories,omitempty"`
	}{Report: r})
	text = append(text, ",\n  \"repositories\": ["...)
	for i := range r.Repositories {
		if err == nil {
			text, err = r.Repositories[i].appendJSON(appendSeparator(text, i, "\n    "))
		}
		if err == nil {
			_, err = w.Write(text)
		}
		text = text[:0]
	}
	if err == nil {
		_, err = w.Write(append(text, "]\n}\n"...))
	}
	return err
}

func (r *Repository) appendJSON(text []byte) ([]byte, error) {
	text, err := appendMembers(text, "    ", struct {
		*Repository
		Images []Image `json:"images,omitempty"`
	}{Repository: r})
	text = append(text, ",\n      \"images\": ["...)
	for i := range r.Images {
		text = r.Images[i].AppendJSON(appendSeparator(text, i, "\n        "))
	}
	return append(text, "]\n    }"...), err
}

// appendMembers appends the indented JSON text of an object without the closing brace.
func appendMembers(text []byte, indent string, object any) ([]byte, error) {
	b := bytes.NewBuffer(text)
	encoder := json.NewEncoder(jsondoc.Printable(b))
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(indent, "  ")
	err := encoder.Encode(object)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"+indent+"}\n")), err
}

// appendSeparator begins element i of a list.
func appendSeparator(text []byte, i int, space string) []byte {
	if i > 0 {
		text = append(text, ',')
	}
	return append(text, space...)
}

// AppendJSON appends the text of encoding/json, faster, on one line and safe to print.
func (im *Image) AppendJSON(text []byte) []byte {
	o := object{append(text, '{')}
	o.text("imageDigest", im.ImageDigest)
	o.texts("imageTags", im.ImageTags)
	o.text("verdict", string(im.Verdict))
	if im.AppliedRulePriority != 0 {
		o.number("appliedRulePriority", int64(im.AppliedRulePriority))
	}
	o.text("reason", im.Reason)
	if len(im.ProtectedBy) > 0 {
		o.name("protectedBy")
		o.json = append(o.json, '[')
		for i, p := range im.ProtectedBy {
			o.json = append(appendSeparator(o.json, i, ""), '{')
			o.text("kind", string(p.Kind))
			o.text("by", p.By)
			o.json = append(o.json, '}')
		}
		o.json = append(o.json, ']')
	}
	o.optionalText("onExpire", string(im.OnExpire))
	if len(im.Untag) > 0 {
		o.texts("untag", im.Untag)
	}
	o.optionalText("outcome", string(im.Outcome))
	o.optionalText("message", im.Message)
	o.text("imageStatus", string(im.ImageStatus))
	o.time("imagePushedAt", im.ImagePushedAt)
	o.optionalTime("lastRecordedPullTime", im.LastRecordedPullTime)
	o.optionalTime("lastActivatedAt", im.LastActivatedAt)
	o.optionalTime("childrenPulledAt", im.ChildrenPulledAt)
	o.optionalTime("manifestReadFrom", im.ManifestReadFrom)
	o.optionalTime("manifestReadTo", im.ManifestReadTo)
	o.number("imageSizeInBytes", im.ImageSizeInBytes)
	return append(o.json, '}')
}

// An object is the unfinished JSON text of an object. Names must need no escapes.
type object struct{ json []byte }

func (o *object) name(name string) {
	if o.json[len(o.json)-1] != '{' {
		o.json = append(o.json, ',')
	}
	o.json = append(append(append(o.json, '"'), name...), '"', ':')
}

func (o *object) text(name, value string) {
	o.name(name)
	o.json = jsondoc.AppendString(o.json, value)
}

func (o *object) optionalText(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) texts(name string, values []string) {
	o.name(name)
	if values == nil {
		o.json = append(o.json, "null"...)
		return
	}
	o.json = append(o.json, '[')
	for i, value := range values {
		o.json = jsondoc.AppendString(appendSeparator(o.json, i, ""), value)
	}
	o.json = append(o.json, ']')
}

func (o *object) number(name string, value int64) {
	o.name(name)
	o.json = strconv.AppendInt(o.json, value, 10)
}

func (o *object) time(name string, value time.Time) {
	o.name(name)
	o.json = append(value.AppendFormat(append(o.json, '"'), time.RFC3339Nano), '"')
}

func (o *object) optionalTime(name string, value time.Time) {
	if !value.IsZero() {
		o.time(name, value)
	}
}
