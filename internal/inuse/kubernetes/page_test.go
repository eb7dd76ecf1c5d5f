package kubernetes

import (
	"encoding/json"
	"strings"
	"testing"
)

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
