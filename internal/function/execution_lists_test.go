package function_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

const (
	listOfB     = "night/lists/1/registries/" + inA + "/" + inB + ".json" // what B uses of A
	listOfA     = "night/lists/1/registries/" + inA + "/" + inA + ".json"
	usedB       = "night/lists/1/places/" + inB + ".json"
	barrierName = "night/barrier/1.json"
)

// read returns the content of an object.
func (c *company) read(t *testing.T, name string) []byte {
	t.Helper()
	content, _, err := c.Fleet.Store.Open(t.Context(), name)
	awstest.NoError(t, err)
	text, err := io.ReadAll(content)
	awstest.NoError(t, err)
	return text
}

// tamper changes an object before the first event that contains before. Nil removes it.
func (c *company) tamper(t *testing.T, name, before string, change func(text []byte) []byte) {
	t.Helper()
	done := false
	c.between = func(event string) {
		if done || !strings.Contains(event, before) {
			return
		}
		done = true
		text := change(c.read(t, name))
		if text == nil {
			c.Fleet.Store.(*fleet.Memory).Delete(name)
			return
		}
		awstest.NoError(t, c.Fleet.Store.Put(t.Context(), name, text))
	}
	t.Cleanup(func() {
		if !done {
			t.Errorf("%s was not changed", name)
		}
	})
}

// Nothing in a registry is removed after any change of what says which images are in use.
func TestNothingIsRemovedByAFaultyList(t *testing.T) {
	t.Parallel()
	timestamp := now.UTC().Format(time.RFC3339)
	is := func(text string) func([]byte) []byte { return func([]byte) []byte { return []byte(text) } }
	replace := func(before, after string) func([]byte) []byte {
		return func(text []byte) []byte {
			if changed := bytes.ReplaceAll(text, []byte(before), []byte(after)); !bytes.Equal(changed, text) {
				return changed
			}
			return []byte("the test is faulty: nothing was replaced, so that the run acts")
		}
	}
	anything := map[string]func([]byte) []byte{
		"missing": func([]byte) []byte { return nil }, "empty": is(""), "null": is("null"), "no members": is("{}"), "an array": is("[]"),
		"cut":              func(text []byte) []byte { return text[:len(text)/2] },
		"cut by one byte":  func(text []byte) []byte { return bytes.TrimSpace(text)[:len(bytes.TrimSpace(text))-1] },
		"text after it":    func(text []byte) []byte { return append(bytes.Clone(text), "]}"...) },
		"not JSON":         is("<Error/>"),
		"time is too old":  replace(timestamp, now.Add(-61*time.Minute).UTC().Format(time.RFC3339)),
		"time is too late": replace(timestamp, now.Add(61*time.Minute).UTC().Format(time.RFC3339)),
	}
	list := map[string]func([]byte) []byte{
		"plain text":         is(companyA + ".dkr.ecr.eu-west-1.amazonaws.com/app:v1\n"),
		"without references": func(text []byte) []byte { return append(text[:bytes.IndexByte(text, '\n')], "]}"...) },
		"of another account": replace(`"account":"`, `"account":"9`),
		"of another Region":  replace(`"region":"eu-west-1"`, `"region":"us-east-1"`),
		"in part of registry B": replace(`"references":[`, `"references":[{"image":"`+companyA+`.dkr.ecr.eu-west-1.amazonaws.com/app:v1","by":"x"},{"image":"`+
			companyB+`.dkr.ecr.eu-west-1.amazonaws.com/app:v1","by":"x"},`),
		"of registry B":       replace(companyA+".dkr", companyB+".dkr"),
		"of an earlier cycle": replace(timestamp, now.Add(-time.Minute).UTC().Format(time.RFC3339)),
		"unreadable in part":  replace("/app:v", "/app:v:"),
	}
	used := map[string]func([]byte) []byte{
		"of another account":   replace(`"account":"`+companyB+`","region":"eu-west-1","at"`, `"account":"`+companyC+`","region":"eu-west-1","at"`),
		"of another Region":    replace(`"region":"eu-west-1","at"`, `"region":"us-east-1","at"`),
		"of another execution": replace(`"night"`, `"day"`),
		"of another cycle":     replace(`"cycle":1`, `"cycle":2`),
		"with a problem":       replace(`"registries"`, `"problem": "denied", "registries"`),
	}
	barrier := map[string]func([]byte) []byte{
		"of another execution": replace(`"night"`, `"day"`),
		"of another cycle":     replace(`"cycle":1`, `"cycle":2`),
		"without a time":       replace(timestamp, "0001-01-01T00:00:00Z"),
	}
	run := `"target": {"account":"` + companyA + `","region":"eu-west-1"}, "cycle": 1, "continuation"`
	for _, object := range []struct {
		name, before string
		changes      []map[string]func([]byte) []byte
	}{
		{listOfA, run, []map[string]func([]byte) []byte{anything, list}},
		{listOfB, run, []map[string]func([]byte) []byte{anything, list}},
		{usedB, `"barrier"`, []map[string]func([]byte) []byte{anything, used}},
		{barrierName, run, []map[string]func([]byte) []byte{anything, barrier}},
	} {
		for _, changes := range object.changes {
			for how, change := range changes {
				t.Run(object.name+" "+how, func(t *testing.T) {
					t.Parallel()
					c := newCompany(t, "")
					c.tamper(t, object.name, object.before, change)
					r := c.play(t, "apply")
					awstest.Equal(t, "left in A", everything, c.left(companyA))
					awstest.Equal(t, "handled", false, r.Handled)
				})
			}
		}
	}
}

// An image by another host stays in every registry.
func TestImagesThatNameNoRegistryStay(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	digest := c.registries[companyB].Put("app", fakeecr.Image{PushedAt: now.Add(-9 * day), Tags: []string{"w"}})
	c.uses[companyC] = append(c.uses[companyC], "proxy.example/app:v5", "proxy.example/app@"+digest)
	r := c.play(t, "apply")
	awstest.Equal(t, "left in A and B", "v0 v1 v2 v5, v0 v1 v2 v5 w", c.left(companyA)+", "+c.left(companyB))
	awstest.Equal(t, "handled", true, r.Handled)
}

// A list that no outcome object knows protects even so, and a stranger among lists fails all.
func TestOtherObjectsAmongTheLists(t *testing.T) {
	t.Parallel()
	const below = "night/lists/1/registries/" + inA + "/"
	for name, want := range map[string]string{
		below + companyC + "/us-east-1.json": "v0 v1 v2 v7", below + "x": everything, below + companyC + "/": everything, below + "../x.json": everything,
	} {
		c := newCompany(t, "")
		awstest.NoError(t, c.Fleet.Store.Put(t.Context(), name, []byte(`{"version":1,"account":"`+companyC+`","region":"us-east-1","time":"`+now.UTC().Format(time.RFC3339)+
			`","references":[{"image":"`+companyA+`.dkr.ecr.eu-west-1.amazonaws.com/app:v7","by":"x"}]}`)))
		_ = c.play(t, "apply")
		awstest.Equal(t, name, want, c.left(companyA))
	}
}

// A store that cannot list removes nothing.
func TestAListingThatFails(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	c.Fleet.Store = unlisted{c.Fleet.Store}
	r := c.play(t, "apply")
	awstest.Equal(t, "left in A", everything, c.left(companyA))
	awstest.Equal(t, "handled", false, r.Handled)
}

// unlisted is a store whose lists of registries cannot be listed.
type unlisted struct{ fleet.Store }

func (u unlisted) List(ctx context.Context, prefix string) ([]string, error) {
	if strings.Contains(prefix, "/registries/") {
		return nil, errors.New("denied")
	}
	return u.Store.List(ctx, prefix)
}

// An image that was pulled after the scan of its user's place, and before the run, stays.
func TestAPullSinceTheListsKeepsAnImage(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	advance := func(d time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.later += d
	}
	image := c.registries[companyA].Put("app", fakeecr.Image{PushedAt: now.Add(-9 * day), Tags: []string{"back"}})
	c.between = func(event string) {
		if strings.Contains(event, `"barrier"`) {
			advance(time.Minute)
			c.registries[companyA].Pull("app", image)
			advance(time.Minute)
		}
	}
	r := c.play(t, "apply")
	awstest.Equal(t, "left in A", "back v0 v1 v2", c.left(companyA))
	awstest.Equal(t, "handled", true, r.Handled)
}

// What the scan of a place cannot do is in its outcome object, without the external ID.
func TestAPlaceThatFailsIsWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(c *company)
		want  string
	}{
		"panic": {func(c *company) {
			c.Assume = func(context.Context, function.Role) (function.Registry, error) { panic("oops") }
		}, "the program is faulty: oops"},
		"denied":       {func(c *company) { c.denied["arn:aws:iam::"+companyB+":role/reader"] = errors.New("denied") }, "denied"},
		"scan":         {func(c *company) { c.scans[companyB] = errors.New("throttled") }, "ecs: throttled"},
		"long message": {func(c *company) { c.scans[companyB] = errors.New(strings.Repeat("long ", 9999)) }, "ecs: long"},
	} {
		c := newCompany(t, "")
		_, err := c.send(t.Context(), `"mode": "plan", "step": "targets"`)
		awstest.NoError(t, err)
		test.fault(c)
		answer, err := c.send(t.Context(), `"mode": "references", "cycle": 1, "target": {"account": "`+companyB+`", "region": "eu-west-1"}`)
		awstest.NoError(t, err)
		text := string(c.read(t, usedB))
		awstest.Contains(t, text, `"problem":"`+test.want)
		awstest.Equal(t, name+": a problem in the answer", true, answer["problem"] != nil)
		_, found := strings.CutPrefix(text, `{"execution":"night","cycle":1`)
		awstest.Equal(t, name+": execution and cycle", true, found)
		awstest.Equal(t, name+": external ID", false, strings.Contains(text, "the-word"))
		if strings.Contains(test.want, "ecs") {
			awstest.Contains(t, string(c.read(t, listOfB)), "app:v1") // what was found protects
		}
	}
}

// A place that the execution does not ask is refused.
func TestAPlaceThatIsNotAsked(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	_, err := c.send(t.Context(), `"mode": "plan", "step": "targets"`)
	awstest.NoError(t, err)
	_, err = c.send(t.Context(), `"mode": "references", "cycle": 1, "target": {"account": "999999999999", "region": "eu-west-1"}`)
	wantError[*function.RequestError](t, err, "999999999999/eu-west-1")
}
