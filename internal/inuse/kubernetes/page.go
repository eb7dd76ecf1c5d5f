package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The limits of an answer, after decompression. Kubernetes stores no object above 1.5 MB.
const (
	maxPage = 1 << 30 // bytes of one answer
	maxItem = 4 << 20 // bytes of one object in it
)

// A page is one answer to a list request, without its items.
type page struct {
	kind, apiVersion string

	metadata struct {
		Continue           string // the token of the next page
		RemainingItemCount int    // in later pages; 0 if the server does not say
	}
}

// readPage reads an answer with a list. It calls item for each item as soon as it is read;
// item may not keep the text. The members of the answer can be in any order.
func readPage(body io.Reader, item func(text []byte) error) (p page, err error) {
	r := &pageReader{body: body}
	r.dec = json.NewDecoder(r)
	p, err = r.page(item)
	switch {
	case r.err != nil:
		return p, r.err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return p, brokenError{errors.New("the answer ends in the middle")}
	}
	return p, err
}

// A pageReader reads an answer and limits its size.
type pageReader struct {
	body  io.Reader
	dec   *json.Decoder
	taken int64 // bytes that the decoder has read
	err   error // of reading the body, or nil
}

// Read reads for the decoder.
func (r *pageReader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.taken += int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		r.err = brokenError{fmt.Errorf("the answer broke off: %w", err)}
	case r.taken > maxPage:
		r.err = fmt.Errorf("the answer has more than %d MiB", maxPage>>20)
	case r.taken-r.dec.InputOffset() > maxItem+64<<10:
		r.err = fmt.Errorf("an object in the answer has more than %d MiB", maxItem>>20)
	}
	if r.err != nil {
		return 0, r.err
	}
	return n, err
}

func (r *pageReader) page(item func(text []byte) error) (p page, err error) {
	if err := r.open('{'); err != nil {
		return p, err
	}
	complete := false
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return p, err
		}
		switch name {
		case "kind":
			err = r.dec.Decode(&p.kind)
		case "apiVersion":
			err = r.dec.Decode(&p.apiVersion)
		case "metadata":
			err = r.dec.Decode(&p.metadata)
		case "items", "groups", "resources": // in lists of objects, API groups, and kinds in a group
			complete = true
			err = r.items(item)
		default:
			err = r.dec.Decode(new(json.RawMessage))
		}
		if err != nil {
			return p, err
		}
	}
	if _, err := r.dec.Token(); err != nil { // the end of the object
		return p, err
	}
	if !complete {
		return p, fmt.Errorf("the answer is a %.80q without a list", p.kind)
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) { // reads up to the end, to use the connection again
		return p, errors.Join(err, errors.New("the answer has text after its end"))
	}
	return p, nil
}

func (r *pageReader) open(delim json.Delim) error {
	open, err := r.dec.Token()
	if err == nil && open != delim {
		err = fmt.Errorf("the answer has %.20q instead of %s", fmt.Sprint(open), delim)
	}
	return err
}

// items reads an array. Null is an empty one, because some servers write it so.
func (r *pageReader) items(item func(text []byte) error) error {
	open, err := r.dec.Token()
	switch {
	case err != nil || open == nil:
		return err
	case open != json.Delim('['):
		return fmt.Errorf("the answer has a list that is %.20q", fmt.Sprint(open))
	}
	var text json.RawMessage
	for r.dec.More() {
		if err := r.dec.Decode(&text); err != nil {
			return err
		}
		if err := item(text); err != nil {
			return err
		}
	}
	_, err = r.dec.Token() // the end of the array
	return err
}
