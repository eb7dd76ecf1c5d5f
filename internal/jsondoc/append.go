package jsondoc

import (
	"bytes"
	"encoding/json"
)

// AppendString appends the text as AppendValue does, and without its cost where
// nothing must be escaped.
func AppendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ = AppendValue(b, text) // every text has a JSON text
			return b
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// AppendValue appends what encoding/json makes of the value, HTML not escaped, in
// one line that a terminal shows as it is. With an error nothing is appended: the
// value has no JSON text.
func AppendValue(b []byte, value any) ([]byte, error) {
	w := bytes.NewBuffer(b)
	encoder := json.NewEncoder(Printable(w))
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return b, err
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), nil
}
