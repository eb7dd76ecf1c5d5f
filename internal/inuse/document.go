package inuse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
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

// named sorts what a document says of the uses and leaves each once.
func named(uses []Use) []Use {
	said := make([]Use, len(uses))
	for i, use := range uses {
		said[i] = Use{Reference: use.Reference, By: use.By}
	}
	return distinct(said)
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
	for _, use := range named(uses) {
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
