package fleet_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

func TestAStoreInMemory(t *testing.T) {
	t.Parallel()
	var store fleet.Store = fleet.NewMemory()
	if _, _, err := store.Open(t.Context(), "b"); !errors.Is(err, fleet.ErrMissing) {
		t.Errorf("a missing object: %v", err)
	}
	content := []byte("1")
	awstest.NoError(t, store.Put(t.Context(), "b", content))
	awstest.NoError(t, store.Put(t.Context(), "a/b", content))
	content[0] = '2'
	opened, _, err := store.Open(t.Context(), "b")
	awstest.NoError(t, err)
	if text, _ := io.ReadAll(opened); string(text) != "1" {
		t.Errorf("it has %s", text)
	}
	names, err := store.List(t.Context(), "")
	awstest.Equal(t, "names", "[a/b b] <nil>", fmt.Sprint(names, err))
}
