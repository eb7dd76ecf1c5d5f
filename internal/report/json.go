package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// WriteJSON writes the report as JSON text that a terminal shows as it is: one
// line for each image, of which there may be a million, and the rest indented.
func (r *Report) WriteJSON(w io.Writer) error {
	text, err := appendMembers(nil, "", struct {
		*Report
		Repositories []Repository `json:"repositories,omitempty"`
	}{Report: r})
	text = append(text, ",\n  \"repositories\": ["...)
	for i := range r.Repositories {
		if err == nil {
			text, err = r.Repositories[i].appendJSON(next(text, i, "\n    "))
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
		text = r.Images[i].AppendJSON(next(text, i, "\n        "))
	}
	return append(text, "]\n    }"...), err
}

// appendMembers appends the indented JSON text of an object, which must have a
// member, without its end.
func appendMembers(text []byte, indent string, object any) ([]byte, error) {
	b := bytes.NewBuffer(text)
	encoder := json.NewEncoder(jsondoc.Printable(b))
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(indent, "  ")
	err := encoder.Encode(object)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"+indent+"}\n")), err
}

// next begins element i of a list.
func next(text []byte, i int, space string) []byte {
	if i > 0 {
		text = append(text, ',')
	}
	return append(text, space...)
}
