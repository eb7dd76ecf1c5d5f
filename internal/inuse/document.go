package inuse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// documentVersion is the version of the document that Write writes.
const documentVersion = 1

// A document is a list of references with its origin.
type document struct {
	Version    int                 `json:"version"`
	Account    string              `json:"account"`
	Region     string              `json:"region"`
	Time       time.Time           `json:"time"`
	References []documentReference `json:"references"`
}

type documentReference struct {
	Image string `json:"image"`
	By    string `json:"by"`
}

// Write writes the uses as a document that a [List] reads: JSON, each use on a
// line of its own and each once, in the order of their references. Account and
// region are where the scan was made, at is when. A scan that failed in part
// must not be written: the reader could not tell it from a whole one. Uses too
// many for [MaxListSize] are an error, and nothing is written.
func Write(w io.Writer, account, region string, at time.Time, uses []Use) error {
	doc := document{documentVersion, account, region, at.UTC().Truncate(time.Second), []documentReference{}}
	head, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write references: %w", err)
	}
	var b bytes.Buffer
	b.Write(bytes.TrimSuffix(head, []byte("]}")))
	between := "\n"
	for _, use := range distinct(slices.Clone(uses)) {
		line, err := json.Marshal(documentReference{use.Reference.String(), use.By})
		if err != nil {
			return fmt.Errorf("write references: %w", err)
		}
		b.WriteString(between)
		b.Write(line)
		between = ",\n"
	}
	b.WriteString("\n]}\n")
	if b.Len() > MaxListSize {
		return fmt.Errorf("write references: %d uses need more than %d MiB", len(uses), MaxListSize>>20)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write references: %w", err)
	}
	return nil
}

// parseJSON reads a list that is an array or a document.
func (l List) parseJSON(text []byte, found *collector) error {
	doc := jsondoc.Parse(text)
	root := doc.Root()
	switch {
	case root == nil:
	case root.IsObject():
		l.parseDocument(root, found)
	default:
		l.parseArray(root, found)
	}
	var problems []error
	for _, p := range doc.Problems() {
		problems = append(problems, fmt.Errorf("%s", p))
	}
	return several(problems)
}

func (l List) parseArray(root *jsondoc.Value, found *collector) {
	items, _ := root.Array()
	for i, item := range items {
		l.addValue(item, fmt.Sprintf("%s[%d]", l.location, i), found)
	}
}

// addValue notes the use that a string of a document names.
func (l List) addValue(image *jsondoc.Value, by string, found *collector) {
	text, ok := image.String()
	if !ok {
		return
	}
	if err := add(found, text, by); err != nil {
		image.Problem("%s", err)
	}
}

func (l List) parseDocument(root *jsondoc.Value, found *collector) {
	o, ok := root.Object("version", "account", "region", "time", "references")
	if !ok {
		return
	}
	version := o.Require("version")
	if n, ok := version.Int(1, math.MaxInt32); ok && n != documentVersion {
		version.Problem("is %d; only documents of version %d can be read here", n, documentVersion)
	}
	o.Require("account").String()
	o.Require("region").String()
	l.checkTime(o.Require("time"))
	items, _ := o.Require("references").Array()
	for i, item := range items {
		ref, ok := item.Object("image", "by")
		if !ok {
			continue
		}
		by := fmt.Sprintf("%s: references[%d]", l.location, i)
		if named, ok := ref.Get("by").String(); ok && named != "" {
			by = named
		}
		l.addValue(ref.Require("image"), by, found)
	}
}

// checkTime checks that a document is neither too old nor from the future.
func (l List) checkTime(v *jsondoc.Value) {
	text, ok := v.String()
	if !ok {
		return
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		v.Problem("must be a time such as 2006-01-02T15:04:05Z, is %s", jsondoc.Quote(text))
	case l.now.Sub(at) > MaxListAge:
		v.Problem("the list is more than %.0f hours old; write it again", MaxListAge.Hours())
	case at.Sub(l.now) > maxListSkew:
		v.Problem("the list is from the future")
	}
}
