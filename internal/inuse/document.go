package inuse

import (
	"bufio"
	"bytes"
	"cmp"
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

// named returns the uses for a document, sorted and without duplicates. It leaves out
// uses without a repository, and uses of public registries, which no reader of the
// document cleans.
func named(uses []Use) []Use {
	said := make([]Use, 0, len(uses))
	for _, use := range uses {
		if use.Reference.Repository != "" && !use.Reference.Public() {
			said = append(said, Use{Reference: use.Reference, By: use.By})
		}
	}
	return distinct(said)
}

// Write writes the uses as a JSON document that a [List] reads. The uses are in the
// order of their references, one on a line and without duplicates. Uses of images of
// public registries are left out. Account, region and at are those of the scan. Do not
// write a scan that failed in part: the reader could not tell it from a complete one.
// If the document would be larger than [MaxListSize], Write returns an error and writes
// nothing.
func Write(w io.Writer, account, region string, at time.Time, uses []Use) error {
	doc := document{documentVersion, account, region, at.UTC().Truncate(time.Second), []documentReference{}}
	uses = named(uses)
	size := 0
	for i := range uses {
		size += len(uses[i].By) + len(`{"image":"","by":""},`) + len(uses[i].Reference.String())
	}
	if size > MaxListSize {
		return fmt.Errorf("%d uses need more than %d MiB", len(uses), MaxListSize>>20)
	}
	out := bufio.NewWriter(w)
	return cmp.Or(doc.print(out, uses), out.Flush())
}

// print prints the document with these uses. The writer keeps its errors.
func (d document) print(w *bufio.Writer, uses []Use) error {
	head, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, _ = w.Write(bytes.TrimSuffix(head, []byte("]}")))
	between := "\n"
	for _, use := range uses {
		line, err := json.Marshal(documentReference{use.Reference.String(), use.By})
		if err != nil {
			return err
		}
		_, _ = w.WriteString(between)
		_, _ = w.Write(line)
		between = ",\n"
	}
	_, err = w.WriteString("\n]}\n")
	return err
}
