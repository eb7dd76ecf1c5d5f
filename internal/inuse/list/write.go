package list

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

const documentVersion = 1

// A document is a list of references with its origin.
type document struct {
	Version    int       `json:"version"`
	Account    string    `json:"account"`
	Region     string    `json:"region"`
	Time       time.Time `json:"time"`
	References []entry   `json:"references"`
}

type entry struct {
	Image string `json:"image"`
	By    string `json:"by"`
	// AllImages is true if any image of the repository may be in use.
	AllImages bool `json:"allImages,omitempty"`
}

// Entries returns the uses that [Write] writes, sorted by reference and without duplicates.
// It leaves out uses of public registries and uses without a repository.
func Entries(uses []inuse.Use) []inuse.Use {
	named := make([]inuse.Use, 0, len(uses))
	for _, use := range uses {
		if use.Reference.Repository != "" && !use.Reference.Public() {
			named = append(named, inuse.Use{Reference: use.Reference, By: use.By, AllImages: use.AllImages})
		}
	}
	return inuse.Distinct(named)
}

// Write writes the [Entries] of a scan as a JSON document, one on a line. Do not write a scan with a failed source: a reader would take the list for complete. If
// the document would be larger than [MaxSize], Write fails and writes nothing.
func Write(w io.Writer, account, region string, at time.Time, uses []inuse.Use) error {
	size, named := 0, Entries(uses)
	for i := range named {
		size += len(named[i].By) + len(`{"image":"","by":"","allImages":true},`) + len(named[i].Reference.String())
	}
	if size > MaxSize {
		return fmt.Errorf("%d uses need more than %d MiB", len(named), MaxSize>>20)
	}
	out := bufio.NewWriter(w)
	d := document{documentVersion, account, region, at.UTC().Truncate(time.Second), []entry{}}
	return cmp.Or(d.print(out, named), out.Flush())
}

// print prints the document with these uses. The writer remembers its first error.
func (d document) print(w *bufio.Writer, uses []inuse.Use) error {
	head, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, _ = w.Write(bytes.TrimSuffix(head, []byte("]}")))
	between := "\n"
	for _, use := range uses {
		line, err := json.Marshal(entry{use.Reference.String(), use.By, use.AllImages})
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
