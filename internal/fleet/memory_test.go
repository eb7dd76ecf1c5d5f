package fleet_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
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
	awstest.NoError(t, store.Create(t.Context(), "new", content))
	if err := store.Create(t.Context(), "b", content); !errors.Is(err, fleet.ErrExists) {
		t.Errorf("create an object that exists: %v", err)
	}
}

// Of two lists of an execution, the first one counts, also for what the maps read.
func TestTargetsAreWrittenOnce(t *testing.T) {
	t.Parallel()
	store := fleet.NewMemory()
	place := func(account string) []config.Place { return []config.Place{{Account: account, Region: "r"}} }
	for _, account := range []string{"1", "2"} {
		got, err := fleet.WriteTargets(t.Context(), store, fleet.Targets{Execution: "x", Registries: place(account), Places: place(account)})
		awstest.NoError(t, err)
		awstest.Equal(t, "registry", "1/r", got.Registries[0].String())
	}
	items := read(t, store, fleet.PlacesName("x")) + read(t, store, fleet.RegistriesName("x", 1))
	awstest.Equal(t, "items", `[{"account":"1","region":"r"}][{"account":"1","region":"r","continuation":null}]`, items)
}
