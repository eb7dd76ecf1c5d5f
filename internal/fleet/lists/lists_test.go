package lists_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/lists"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

var (
	registry = config.Place{Account: "222222222222", Region: "eu-west-1"}
	user     = config.Place{Account: "333333333333", Region: "eu-west-1"}
)

// What a place uses is read back for the registry, with the account. Images that name no ECR
// registry are read back for every registry.
func TestAListIsReadBack(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	image := func(text string, all bool) inuse.Use {
		ref, err := reference.ParseAny(text)
		awstest.NoError(t, err)
		return inuse.Use{Reference: ref, By: "arn:" + text, AllImages: all, Account: user.Account}
	}
	const here = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/"
	everywhere := []inuse.Use{
		{Reference: reference.Reference{Digest: digest}, By: "arn:digest", Account: user.Account},
		image("proxy.example/app:v1", false), image("proxy.example/app:v1", true), image("proxy.example/app@"+digest, false),
	}
	own := []inuse.Use{
		image(here+"app:v1", false), image(here+"app", true), image(here+"app@"+digest, false), image(here+"app:v1@"+digest, false),
	}
	uses := append(append([]inuse.Use{{Problem: "unreadable", By: "task"}, {Finding: finding.Finding{Kind: finding.ScanFailed, Message: "found"}}}, everywhere...), own...)
	uses = append(uses, image("docker.io/library/app:v1", false))
	store, targets := fleet.NewMemory(), fleet.Targets{Execution: "night", Places: []config.Place{user}}
	awstest.NoError(t, lists.Write(t.Context(), store, fleet.Used{Execution: "night", Cycle: 1, Place: user, At: awstest.Now}, uses))
	used, err := fleet.ReadUsed(t.Context(), store, targets, 1)
	awstest.NoError(t, err)
	barrier := fleet.NewBarrier(targets, 1, used, awstest.Now, time.Hour)
	read := func(of config.Place) inuse.Scan {
		source := lists.Source{Store: store, Execution: "night", Cycle: 1, Registry: of, Barrier: barrier, Now: awstest.Now, MaxAge: time.Hour}
		scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, awstest.Now)
		for i := range scan.Uses {
			awstest.Equal(t, "source", config.FleetSource, scan.Uses[i].Source)
			scan.Uses[i].Source = ""
		}
		awstest.Equal(t, "failures", 0, len(scan.Failed))
		awstest.Equal(t, "accounts that are listed", []string{user.Account}, scan.Listed)
		return scan
	}
	awstest.Equal(t, "uses", inuse.Distinct(append(own, everywhere...)), read(registry).Uses)
	awstest.Equal(t, "uses elsewhere", inuse.Distinct(everywhere), read(user).Uses)
}

// A use of another Region of an account is the same. One of another account is not, because
// it says which accounts use an image.
func TestUsesElsewhereAreKeptOncePerAccount(t *testing.T) {
	t.Parallel()
	places := []config.Place{user, {Account: user.Account, Region: "us-east-1"}, registry}
	used := map[config.Place]fleet.Used{}
	for _, p := range places {
		used[p] = fleet.Used{Place: p, At: awstest.Now, Elsewhere: []fleet.Use{{Image: "x.example/a", By: p.String()}, {Image: "x.example/a", AllImages: true}}}
	}
	b := fleet.NewBarrier(fleet.Targets{Places: places}, 1, used, awstest.Now, time.Hour)
	awstest.Equal(t, "uses", 4, len(b.Elsewhere))
}

// An image of a barrier that cannot be read fails the source as a whole.
func TestAnUnreadableImageOfTheBarrier(t *testing.T) {
	t.Parallel()
	barrier := fleet.Barrier{Oldest: awstest.Now, Elsewhere: []fleet.Use{{Image: "a b"}}}
	var failed error
	for _, err := range (lists.Source{Store: fleet.NewMemory(), Registry: registry, Barrier: barrier, Now: awstest.Now, MaxAge: time.Hour}).Uses(t.Context()) {
		failed = err
	}
	_, byAccount := errors.AsType[inuse.AccountsError](failed)
	if failed == nil || byAccount {
		t.Errorf("got %v", failed)
	}
}

// A list that is not what its place has written fails the account of the place, and what it
// names still counts. What is wrong with all lists fails the source.
func TestAListThatIsNotGoodFailsItsAccount(t *testing.T) {
	t.Parallel()
	const host, elsewhere = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/", "444444444444.dkr.ecr.eu-west-1.amazonaws.com/"
	name := fleet.ListName("night", 1, registry, user)
	for what, test := range map[string]struct {
		name, content string // of one object, or of no object
		age           time.Duration
		whole         bool // whether the source fails as a whole
		words         string
		uses          int
	}{
		"good":                {name, awstest.ListOf(user.Account, user.Region, 0, host+"app:v1"), 0, false, "", 1},
		"missing":             {"", "", 0, false, "its list for this registry is missing", 0},
		"empty":               {name, awstest.ListOf(user.Account, user.Region, 0), 0, false, "is empty", 0},
		"cut":                 {name, `{"version": 1, "account"`, 0, false, "unexpected EOF", 0},
		"of another place":    {name, awstest.ListOf("555555555555", user.Region, 0, host+"app:v1"), 0, false, "555555555555", 1},
		"of another registry": {name, awstest.ListOf(user.Account, user.Region, 0, host+"app:v1", elsewhere+"app:v1"), 0, false, "names " + elsewhere, 2},
		"plain text":          {name, host + "app:v1", 0, false, "", 0},
		"another object":      {fleet.ListsOf("night", 1, registry) + "notes.txt", "x", 0, true, "is no list of an account and Region", 0},
		"too old":             {name, awstest.ListOf(user.Account, user.Region, 0, host+"app:v1"), 61 * time.Minute, true, "more than 1h0m0s old", 0},
		"from the future":     {name, awstest.ListOf(user.Account, user.Region, 0, host+"app:v1"), -61 * time.Minute, true, "from the future", 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			store := fleet.NewMemory()
			if test.name != "" {
				awstest.NoError(t, store.Put(t.Context(), test.name, []byte(test.content)))
			}
			barrier := fleet.Barrier{Oldest: awstest.Now, Accounts: []string{user.Account}, Users: map[string][]config.Place{registry.String(): {user}}}
			source := lists.Source{
				Store: store, Execution: "night", Cycle: 1, Registry: registry, Barrier: barrier, Now: awstest.Now.Add(test.age), MaxAge: time.Hour,
			}
			scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, awstest.Now)
			if what == "good" {
				awstest.Equal(t, "failures", 0, len(scan.Failed))
			} else if len(scan.Failed) != 1 || (scan.Failed[0].Account == "") != test.whole || !strings.Contains(scan.Failed[0].Err.Error(), test.words) {
				t.Errorf("failures %v", scan.Failed)
			}
			if what != "plain text" {
				awstest.Equal(t, "uses", test.uses, len(scan.Uses))
			}
		})
	}
}
