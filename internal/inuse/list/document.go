package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// readJSON reads a JSON array or a document that begins on that line, entry by entry.
func (r *reader) readJSON(line int) error {
	d := jsonReader{reader: r, line: line, most: maxEntry}
	d.dec = json.NewDecoder(&d)
	read := d.read
	if r.beginsObject() {
		d.most, read = maxObject, d.kubernetes
	}
	err := read()
	if err == nil {
		err = d.end()
	}
	if errors.Is(err, errStopped) {
		return err
	}
	if d.err != nil {
		return d.err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		r.problems.add(d.at(), "%s", err)
	}
	return nil
}

// A jsonReader reads JSON. Invalid JSON ends the reading; an invalid entry does not.
type jsonReader struct {
	*reader
	dec   *json.Decoder
	taken int64   // the number of bytes that the decoder has read
	line  int     // the line of the last position
	ends  []int64 // the offsets of the line ends after that position
	err   error   // of reading the content, or nil
	most  int64   // bytes of a value

	objects int // of Kubernetes
}

// Read reads for the decoder. It fails on a value that is too long to keep in memory.
func (d *jsonReader) Read(p []byte) (int, error) {
	if d.taken-d.dec.InputOffset() > 2*d.most {
		return 0, fmt.Errorf("a value has more than %d KiB and is longer than any reference or object", d.most>>10)
	}
	n, err := d.in.Read(p[:min(len(p), maxEntry)])
	for i, c := range p[:n] {
		if c == '\n' {
			d.ends = append(d.ends, d.taken+int64(i))
		}
	}
	d.taken += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		d.err = err
	}
	return n, err
}

// at returns the line number of the decoder's position.
func (d *jsonReader) at() int {
	passed := 0
	for passed < len(d.ends) && d.ends[passed] < d.dec.InputOffset() {
		passed++
	}
	d.line += passed
	d.ends = append(d.ends[:0], d.ends[passed:]...)
	return d.line
}

func (d *jsonReader) read() error {
	var err error
	if open, _ := d.dec.Token(); open == json.Delim('[') { // otherwise it is a {
		d.checkModified()
		err = d.entries(d.image)
	} else {
		err = d.document()
	}
	return err
}

func (d *jsonReader) end() error {
	if _, err := d.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the end of the list")
	}
	return nil
}

// entries reads an array or object up to its end.
func (d *jsonReader) entries(read func() error) error {
	for d.dec.More() {
		if err := read(); err != nil {
			return err
		}
	}
	_, err := d.dec.Token()
	return err
}

// members reads an object up to its end. The function read reads the value of a member.
func (d *jsonReader) members(read func(name string) error) error {
	return d.entries(func() error {
		name, err := d.dec.Token()
		if err != nil {
			return err
		}
		return read(fmt.Sprint(name))
	})
}

func (d *jsonReader) image() error {
	var image string
	if err := d.dec.Decode(&image); err != nil {
		return err
	}
	return d.add(image, "", false, d.at())
}

// reference reads an entry of a document. A repeated member would hide an image.
func (d *jsonReader) reference() error {
	if open, err := d.dec.Token(); err != nil || open != json.Delim('{') {
		return errors.Join(err, errors.New("an entry of references is not an object"))
	}
	var image, by string
	var all bool
	targets := map[string]any{"image": &image, "by": &by, "allImages": &all}
	err := d.members(func(name string) error {
		target := targets[name]
		if target == nil {
			return fmt.Errorf("%.80q is repeated or not a member of a reference", name)
		}
		delete(targets, name)
		return d.dec.Decode(target)
	})
	if err != nil {
		return err
	}
	return d.add(image, by, all, d.at())
}

// document reads the members of a document. Each must be there once.
func (d *jsonReader) document() error {
	missing := []string{"version", "account", "region", "time", "references"}
	err := d.members(func(name string) error {
		at := slices.Index(missing, name)
		if at < 0 {
			return fmt.Errorf("%.80q is repeated or not a member of a list of references", name)
		}
		missing = slices.Delete(missing, at, at+1)
		if name == "references" && slices.Contains(missing, "account") { // the account of the uses is not known yet
			d.problems.add(d.at(), "account is missing or after references; write it before")
		}
		return d.member(name)
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("the list has no %s", missing[0])
	}
	return err
}

// member reads the value of a member.
func (d *jsonReader) member(name string) error {
	switch name {
	case "account":
		return d.decode(name, &d.account)
	case "region":
		return d.decode(name, &d.region)
	case "references":
		if open, err := d.dec.Token(); err != nil || open != json.Delim('[') {
			return errors.Join(err, errors.New("references is not an array"))
		}
		return d.entries(d.reference)
	case "version":
		var version int
		err := d.decode(name, &version)
		if err == nil && version != documentVersion {
			err = fmt.Errorf("the list is of version %d; only version %d can be read here", version, documentVersion)
		}
		return err
	default:
		var at time.Time
		err := d.decode(name, &at)
		if problem := d.ageProblem(at); err == nil && problem != "" {
			d.problems.add(d.at(), "%s", problem)
		}
		return err
	}
}

func (d *jsonReader) decode(name string, to any) error {
	if err := d.dec.Decode(to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
