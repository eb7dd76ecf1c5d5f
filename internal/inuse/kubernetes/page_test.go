package kubernetes

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// An answer that ends anywhere before its end has objects that are not known.
func TestEveryShorterAnswerIsBroken(t *testing.T) {
	t.Parallel()
	const text = `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"x"},"items":[{"a":[1,"]}"]},{"b":{}}],"more":{"c":null}}`
	for end := range text {
		_, err := readPage(strings.NewReader(text[:end]), func([]byte) error { return nil })
		if _, broken := errors.AsType[brokenError](err); !broken {
			t.Errorf("%s: got error %v", text[:end], err)
		}
	}
	items := 0
	p, err := readPage(strings.NewReader(text+"\n"), func([]byte) error { items++; return nil })
	if err != nil || items != 2 || p.metadata.Continue != "x" || p.kind != "PodList" {
		t.Errorf("got %v, %d items, error %v", p, items, err)
	}
}

// The answer has a GiB already.
func TestAnAnswerHasALargestSize(t *testing.T) {
	t.Parallel()
	r := &pageReader{body: strings.NewReader(`{"items":[` + strings.Repeat("{},", 100)), taken: maxPage - 100}
	r.dec = json.NewDecoder(r)
	_, err := r.page(func([]byte) error { return nil })
	if err == nil || err.Error() != "the answer has more than 1024 MiB" {
		t.Errorf("got error %v", err)
	}
}
