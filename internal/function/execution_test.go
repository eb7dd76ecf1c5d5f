package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	companyA, companyB, companyC = "222222222222", "333333333333", "444444444444"
	inA, inB                     = companyA + "/eu-west-1", companyB + "/eu-west-1"
)

// A company has three accounts. A and B have a registry each with a repository app of ten old
// images, v0 to v9. C has an empty registry. Each account uses an image of A and one of B.
type company struct {
	*fixture
	mu         sync.Mutex
	registries map[string]*fakeecr.Server // by account
	uses       map[string][]string        // references by the account that uses them
	denied     map[string]error           // of Assume, by the ARN of the role
	scans      map[string]error           // of in-use scans, by account
	wrong      map[string]string          // the account whose registry a role really leads to
	later      time.Duration              // what the clock has advanced
	assumed    []string                   // the roles
	between    func(event string)         // before each event
}

// newCompany returns the company, whose configuration has these further members.
func newCompany(t *testing.T, members string) *company {
	t.Helper()
	var targets []string
	for _, account := range []string{companyA, companyB, companyC} {
		targets = append(targets, fmt.Sprintf(`{"account": %q, "regions": ["eu-west-1"], "externalId": "the-word", "roleArn": "arn:aws:iam::%s:role/reader",
			"applyRoleArn": "arn:aws:iam::%s:role/remover"}`, account, account, account))
	}
	configuration := strings.Replace(expireAll, `"inUse": []`, `"inUse": ["ecs"]`, 1)
	configuration = strings.TrimSuffix(strings.TrimSpace(configuration), "}") + `, "targets": [` + strings.Join(targets, ", ") + `]` + members + `}`
	c := &company{
		fixture: newFixture(t, configuration), registries: map[string]*fakeecr.Server{}, uses: map[string][]string{},
		denied: map[string]error{}, scans: map[string]error{}, wrong: map[string]string{},
	}
	c.Now = func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return now.Add(c.later) }
	for i, account := range []string{companyA, companyB, companyC} {
		server := fakeecr.New(fakeecr.WithClock(c.Now), fakeecr.WithAccount(account))
		server.ExcludePulls(true)
		c.registries[account] = server
		if account != companyC {
			server.CreateRepository("app")
			server.SetRepositoryPolicy("app", admitting(companyA, companyB, companyC))
			for n := range 10 {
				server.Put("app", fakeecr.Image{PushedAt: now.Add(-time.Duration(20-n) * day), Tags: []string{fmt.Sprint("v", n)}, SizeInBytes: 1})
			}
		}
		for _, registry := range []string{companyA, companyB} {
			c.uses[account] = append(c.uses[account], fmt.Sprintf("%s.dkr.ecr.eu-west-1.amazonaws.com/app:v%d", registry, i))
		}
	}
	c.Fleet = &function.Fleet{Store: fleet.NewMemory()}
	servers := map[string]function.Registry{}
	for account, server := range c.registries {
		servers[account] = function.Connect(awstest.Attempts(awstest.Serve(t, server), 1), c.Now)
	}
	c.Assume = func(_ context.Context, role function.Role) (function.Registry, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.assumed = append(c.assumed, role.ARN)
		if err := c.denied[role.ARN]; err != nil {
			return function.Registry{}, err
		}
		r := servers[role.Account]
		if account, is := c.wrong[role.Account]; is {
			r = servers[account]
		}
		r.Account = func(context.Context) (string, error) { return role.Account, nil }
		r.Sources = func(settings config.Config, _ string) []inuse.Source {
			if len(settings.InUse().InUse) == 0 {
				return nil
			}
			return []inuse.Source{using{c.uses[role.Account], c.scans[role.Account]}}
		}
		return r, nil
	}
	return c
}

// admitting returns a repository policy that lets the accounts pull.
func admitting(accounts ...string) string {
	text, _ := json.Marshal(accounts)
	return `{"Statement": [{"Effect": "Allow", "Principal": {"AWS": ` + string(text) + `}, "Action": "ecr:*"}]}`
}

// using is an in-use source named ecs.
type using struct {
	references []string
	err        error
}

func (using) Name() string { return "ecs" }

func (u using) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		for _, text := range u.references {
			if ref, err := reference.ParseAny(text); !yield(inuse.Use{Reference: ref, By: "a task"}, err) {
				return
			}
		}
		if u.err != nil {
			yield(inuse.Use{}, u.err)
		}
	}
}

// send sends an event of the execution, and returns the answer in JSON's form.
func (c *company) send(ctx context.Context, members string) (map[string]any, error) {
	event := `{"execution": "night", ` + members + `}`
	if c.between != nil {
		c.between(event)
	}
	answer, err := c.Answer(ctx, json.RawMessage(event))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	if len(text) > 32<<10 {
		return nil, fmt.Errorf("an answer of %d bytes", len(text))
	}
	var fields map[string]any
	return fields, json.Unmarshal(text, &fields)
}

// play plays the state machine of deploy/fleet.asl.json, and returns the judge's report.
func (c *company) play(t *testing.T, mode string) fleet.Report {
	t.Helper()
	_, err := c.send(t.Context(), `"mode": "`+mode+`", "step": "targets"`)
	for cycle := 1; err == nil; cycle++ {
		c.each(t, fleet.PlacesName("night"), func(item fleet.Item) {
			_, _ = c.send(t.Context(), fmt.Sprintf(`"mode": "references", "target": %s, "cycle": %d`, placeJSON(item.Place), cycle)) // the barrier misses it
		})
		if _, err = c.send(t.Context(), fmt.Sprintf(`"mode": %q, "step": "barrier", "cycle": %d`, mode, cycle)); err != nil {
			break
		}
		c.each(t, fleet.RegistriesName("night", cycle), func(item fleet.Item) { c.run(t, mode, cycle, item) })
		next, failed := c.send(t.Context(), fmt.Sprintf(`"mode": %q, "step": "next", "cycle": %d`, mode, cycle))
		if err = failed; err != nil || next["registriesLeft"] == 0.0 {
			break
		}
	}
	answer, err := c.send(t.Context(), `"mode": "`+mode+`", "step": "judge"`)
	awstest.NoError(t, err)
	var r fleet.Report
	c.object(t, "night/report.json", &r)
	awstest.Equal(t, "handled, as the answer says", r.Handled, answer["handled"] == true)
	awstest.Equal(t, "expected", r.Expected, r.Done+r.Skipped+r.Failed)
	if strings.Contains(fmt.Sprint(answer, c.log.String()), "the-word") {
		t.Error("the external ID is in an answer or in the log")
	}
	return r
}

// run plays a child of the second map.
func (c *company) run(t *testing.T, mode string, cycle int, item fleet.Item) {
	t.Helper()
	continuation := any(item.Continuation)
	for {
		text, err := json.Marshal(continuation)
		awstest.NoError(t, err)
		answer, err := c.send(t.Context(), fmt.Sprintf(`"mode": %q, "target": %s, "cycle": %d, "continuation": %s`, mode, placeJSON(item.Place), cycle, text))
		if err != nil || answer["again"] != true {
			return
		}
		continuation = answer["continuation"]
	}
}

func placeJSON(p config.Place) string {
	text, _ := json.Marshal(p)
	return string(text)
}

// each calls f for the items of an item reader.
func (c *company) each(t *testing.T, name string, f func(fleet.Item)) {
	t.Helper()
	var items []fleet.Item
	c.object(t, name, &items)
	for _, item := range items {
		f(item)
	}
}

func (c *company) object(t *testing.T, name string, to any) {
	t.Helper()
	content, _, err := c.Fleet.Store.Open(t.Context(), name)
	awstest.NoError(t, err)
	awstest.NoError(t, json.NewDecoder(content).Decode(to))
}

// left returns the tags of the images of an account that are left.
func (c *company) left(account string) string {
	tags := []string{}
	for _, im := range c.registries[account].Images("app") {
		tags = append(tags, im.Tags...)
	}
	slices.Sort(tags)
	return strings.Join(tags, " ")
}

const everything = "v0 v1 v2 v3 v4 v5 v6 v7 v8 v9"

func ends(r fleet.Report) string {
	var all []string
	for _, e := range r.Targets {
		all = append(all, strings.TrimSuffix(e.Account[:1]+" "+string(e.Outcome), ""))
	}
	return strings.Join(all, ", ")
}

// Everything expired is deleted, except the images that any account uses.
func TestAnExecutionCleansAllRegistries(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	r := c.play(t, "apply")
	awstest.Equal(t, "report", "2 done, 3 done, 4 done, true, 14 deleted", fmt.Sprintf("%s, %t, %d deleted", ends(r), r.Handled, r.Totals.Deleted))
	awstest.Equal(t, "left in A and B", "v0 v1 v2, v0 v1 v2", c.left(companyA)+", "+c.left(companyB))

	plan := newCompany(t, "")
	r = plan.play(t, "plan")
	awstest.Equal(t, "report of mode plan", "2 done, 3 done, 4 done, true, 14", fmt.Sprintf("%s, %t, %d", ends(r), r.Handled, r.Totals.Expired))
	awstest.Equal(t, "left after mode plan", everything, plan.left(companyA))
	if i := slices.IndexFunc(plan.assumed, func(arn string) bool { return strings.HasSuffix(arn, "remover") }); i >= 0 {
		t.Error("mode plan has assumed a role that removes images")
	}
}

// Each fault ends in the right verdict, and no image in use is deleted.
func TestTheJudgeFindsEveryFault(t *testing.T) {
	t.Parallel()
	kept := strings.Fields("v0 v1 v2")
	for name, test := range map[string]struct {
		fault         func(t *testing.T, c *company)
		ends, message string
		leftA, leftB  string
	}{
		"a scan fails": {
			func(_ *testing.T, c *company) { c.scans[companyC] = errors.New("ecs: denied") },
			"2 failed, 3 failed, 4 done", "444444444444/eu-west-1: ecs: ecs: denied", everything, everything,
		},
		"a role cannot be assumed to ask": {
			func(_ *testing.T, c *company) {
				c.denied["arn:aws:iam::444444444444:role/reader"] = errors.New("denied")
			},
			"2 failed, 3 failed, 4 done", "444444444444/eu-west-1: denied", everything, everything,
		},
		"a role cannot be assumed to remove": {
			func(_ *testing.T, c *company) {
				c.denied["arn:aws:iam::222222222222:role/remover"] = errors.New("denied")
			},
			"2 failed, 3 done, 4 done", inA + ": denied", everything, "v0 v1 v2",
		},
		"a role leads to another account": {
			func(_ *testing.T, c *company) { c.wrong[companyA] = companyB },
			"2 failed, 3 done, 4 done", "account " + companyB, everything, "v0 v1 v2",
		},
		"an outcome is missing": {
			func(_ *testing.T, c *company) {
				c.between = func(event string) {
					if strings.Contains(event, "judge") {
						c.Fleet.Store.(*fleet.Memory).Delete("night/outcomes/" + inB + ".json")
					}
				}
			},
			"2 done, 3 failed, 4 done", inB + ": it has no outcome", "v0 v1 v2", "v0 v1 v2",
		},
		"the list of a place is missing": {
			func(_ *testing.T, c *company) {
				c.between = func(event string) {
					if strings.Contains(event, "barrier") {
						c.Fleet.Store.(*fleet.Memory).Delete("night/lists/1/places/" + inB + ".json")
					}
				}
			},
			"2 failed, 3 failed, 4 done", inB + ": it has no list in cycle 1", everything, everything,
		},
		"the list of a registry is missing": {
			func(_ *testing.T, c *company) {
				c.between = func(event string) {
					if strings.Contains(event, "apply") && strings.Contains(event, companyA) {
						c.Fleet.Store.(*fleet.Memory).Delete("night/lists/1/registries/" + inA + "/" + inB + ".json")
					}
				}
			},
			"2 failed, 3 done, 4 done", "in-use scan: 1", everything, "v0 v1 v2",
		},
		"the barrier is missing": {
			func(_ *testing.T, c *company) {
				c.between = func(event string) {
					if strings.Contains(event, `"continuation"`) {
						c.Fleet.Store.(*fleet.Memory).Delete("night/barrier/1.json")
					}
				}
			},
			"2 failed, 3 failed, 4 failed", "barrier/1.json", everything, everything,
		},
		"the lists are too old": {
			func(_ *testing.T, c *company) {
				c.between = func(event string) {
					if strings.Contains(event, `"barrier"`) {
						c.mu.Lock()
						c.later = 61 * time.Minute
						c.mu.Unlock()
					}
				}
			},
			"2 failed, 3 failed, 4 done", "in-use scan: 1", everything, everything,
		},
		"a repository admits an unknown account": {
			func(_ *testing.T, c *company) {
				c.registries[companyA].SetRepositoryPolicy("app", admitting("999999999999"))
			},
			"2 done, 3 done, 4 done", "", everything, "v0 v1 v2",
		},
		"a function is killed": {
			func(t *testing.T, c *company) {
				t.Helper()
				ctx, kill := context.WithCancel(t.Context())
				c.registries[companyA].Before("BatchDeleteImage", kill)
				answer := c.Handler.Assume
				c.Handler.Assume = func(_ context.Context, role function.Role) (function.Registry, error) { return answer(ctx, role) }
				store := c.Fleet.Store
				c.Fleet.Store = &dying{store, ctx, inA}
			},
			"2 failed, 3 done, 4 done", inA + ": run 1 (run-1) began and did not end", "", "v0 v1 v2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t, "")
			test.fault(t, c)
			r := c.play(t, "apply")
			awstest.Equal(t, "targets", test.ends, ends(r))
			awstest.Contains(t, r.Message+fmt.Sprint(r.Places), test.message)
			awstest.Equal(t, "handled", test.message == "", r.Handled)
			if test.leftA != "" {
				awstest.Equal(t, "left in A", test.leftA, c.left(companyA))
			}
			awstest.Equal(t, "left in B", test.leftB, c.left(companyB))
			for _, tag := range kept {
				if !strings.Contains(c.left(companyA), tag) {
					t.Errorf("%s is in use and gone", tag)
				}
			}
		})
	}
}

// dying is a store that no longer works for a registry once the function was killed.
type dying struct {
	fleet.Store
	killed   context.Context //nolint:containedctx // says when
	registry string
}

func (d *dying) Put(ctx context.Context, name string, content []byte) error {
	if d.killed.Err() != nil && strings.Contains(name, d.registry) {
		return errors.New("the function was killed")
	}
	return d.Store.Put(ctx, name, content)
}

// Of two deliveries of an event at the same time, one acts. Both have read that no run has begun.
func TestOneOfTwoDeliveriesActs(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	c.between = func(event string) {
		if strings.Contains(event, `"barrier"`) {
			c.Fleet.Store = &meeting{Store: c.Fleet.Store, name: "night/outcomes/" + inA + ".json", until: make(chan struct{})}
		}
		if !strings.Contains(event, `"continuation"`) || !strings.Contains(event, companyA) {
			return
		}
		c.between = nil
		var wait sync.WaitGroup
		var acted, refused atomic.Int64
		for range 2 {
			wait.Go(func() {
				_, err := c.Answer(t.Context(), json.RawMessage(event))
				if err == nil {
					acted.Add(1)
				} else if strings.Contains(err.Error(), "run 1 for "+inA+" has begun already") {
					refused.Add(1)
				}
			})
		}
		wait.Wait()
		awstest.Equal(t, "acted, refused", "1, 1", fmt.Sprintf("%d, %d", acted.Load(), refused.Load()))
	}
	c.play(t, "apply")
	awstest.Equal(t, "left in A", "v0 v1 v2", c.left(companyA))
}

// A meeting is a store in which the first two readers of an object wait for each other.
type meeting struct {
	fleet.Store
	name  string
	came  atomic.Int64
	until chan struct{}
}

func (m *meeting) Open(ctx context.Context, name string) (io.ReadCloser, time.Time, error) {
	content, modified, err := m.Store.Open(ctx, name)
	if name == m.name {
		if m.came.Add(1) == 2 {
			close(m.until)
		}
		<-m.until
	}
	return content, modified, err
}
