package usage_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

const (
	accountB = "222222222222"
	sourceB  = "ecs@222222222222/eu-west-1"
	listB    = "s3://lists/all/222222222222/eu-west-1"
)

// A source of an account names images, and then perhaps fails.
type source struct {
	name, account string
	references    []string
	err           error
}

func (s source) Name() string    { return s.name }
func (s source) Account() string { return s.account }

func (s source) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		for i, text := range s.references {
			ref := reference.Reference{Digest: text}
			if !strings.HasPrefix(text, "sha256:") {
				var err error
				if ref, err = reference.ParseAny(text); err != nil {
					panic(err)
				}
			}
			if !yield(inuse.Use{Reference: ref, By: fmt.Sprint("task/", i)}, nil) {
				return
			}
		}
		if s.err != nil {
			yield(inuse.Use{}, s.err)
		}
	}
}

// scanner returns a scanner whose scans have these answers of the source of account B, the
// last one again and again. Each of its Newest makes a new scan.
func scanner(answers ...source) *usage.Scanner {
	clock, made := fixture.Now, 0
	return &usage.Scanner{
		Account: account, Region: "eu-west-1",
		Clock: func() time.Time { clock = clock.Add(usage.MaxScanAge / 2); return clock },
		Scan: func(ctx context.Context) inuse.Scan {
			made++
			return inuse.Scope{}.Run(ctx, []inuse.Source{answers[min(made, len(answers))-1], source{name: "own", references: []string{registryHost + "own:1"}}}, fixture.Now)
		},
	}
}

func never(string) bool { return false }

// What an account named counts for the whole run, also if its source fails in that scan or
// in a later one.
func TestTheRepositoriesThatAnAccountNamedAreRemembered(t *testing.T) {
	t.Parallel()
	failed := source{sourceB, accountB, nil, errors.New("denied")}
	for name, answers := range map[string][]source{
		"named before the failure of the source": {{sourceB, accountB, []string{registryHost + "app:v1", registryHost + "app:v2"}, errors.New("page 2: denied")}},
		"named by an earlier scan":               {{sourceB, accountB, []string{registryHost + "app:v2"}, nil}, failed},
		"named by a scan before the one before":  {{sourceB, accountB, []string{registryHost + "app:v2"}, nil}, failed, failed},
		"named by a list that is too old":        {{listB, accountB, []string{registryHost + "app:v2"}, errors.New("too old")}},
		"named on another host":                  {{sourceB, accountB, []string{"p.example.com/team/app:v1"}, nil}, failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scanner(answers...)
			s.SetRepositories(map[string]bool{"app": true, "web": true}, usage.All)
			for range answers {
				s.Newest(t.Context())
			}
			by, found := s.UsedBy(accountB, "app", never)
			if !found || !strings.HasPrefix(by, "task/") {
				t.Errorf("app is used by %q, %t", by, found)
			}
			for _, c := range [][2]string{{accountB, "web"}, {accountB, "own"}, {"333333333333", "app"}} {
				if by, found := s.UsedBy(c[0], c[1], never); found {
					t.Errorf("%s of account %s is used by %s", c[1], c[0], by)
				}
			}
		})
	}
}

// A digest without a repository is a use in the repositories that list it.
func TestADigestThatAnAccountNamedIsRemembered(t *testing.T) {
	t.Parallel()
	s := scanner(source{sourceB, accountB, []string{awstest.Digest(1), awstest.Digest(2)}, nil}, source{sourceB, accountB, nil, errors.New("denied")})
	s.Newest(t.Context())
	s.Newest(t.Context())
	for digest, want := range map[string]string{awstest.Digest(1): "task/0", awstest.Digest(2): "task/1", awstest.Digest(3): ""} {
		by, found := s.UsedBy(accountB, "app", func(d string) bool { return d == digest })
		if by != want || found != (want != "") {
			t.Errorf("%s is used by %q, %t, want %q", digest, by, found, want)
		}
	}
}

// A failure that the scanner finds out concerns the account of its source alone.
func TestFailuresHaveTheAccountOfTheirSource(t *testing.T) {
	t.Parallel()
	some := []string{registryHost + "app:v1"}
	failures := func(s *usage.Scanner) map[string]string {
		scan, _, _ := s.Newest(t.Context())
		by := map[string]string{}
		for _, f := range scan.Failed {
			by[f.Source+" "+f.Account] = f.Err.Error()
		}
		return by
	}

	vanished := scanner(source{sourceB, accountB, some, nil}, source{sourceB, accountB, nil, nil})
	awstest.Equal(t, "the first scan", map[string]string{}, failures(vanished))
	const none = "had 1 use before and has none now; if that is right, plan again"
	awstest.Equal(t, "without its uses", map[string]string{sourceB + " " + accountB: none}, failures(vanished))

	saved := scanner(source{sourceB, accountB, nil, nil})
	saved.Before = map[string]int{sourceB: 1, "own": 1}
	awstest.Equal(t, "without the uses of a saved plan", map[string]string{sourceB + " " + accountB: none}, failures(saved))

	denied := scanner(source{sourceB, accountB, nil, errors.New("denied")})
	denied.Before = map[string]int{sourceB: 1}
	awstest.Equal(t, "denied after a saved plan", map[string]string{sourceB + " " + accountB: "denied"}, failures(denied))

	unmatched := scanner(source{listB, accountB, []string{"p.example.com/x/y:1"}, nil})
	unmatched.Lists = []string{"s3://lists/all/", listB}
	unmatched.SetRepositories(map[string]bool{"app": true}, usage.All)
	for key, message := range failures(unmatched) {
		if key != listB+" "+accountB || !strings.Contains(message, "none of the 1 reference in the list") {
			t.Errorf("a list that matches nothing: %s: %s", key, message)
		}
	}
	awstest.Equal(t, "failed lists", 1, len(failures(unmatched)))

	slow := scanner(source{sourceB, accountB, some, nil})
	clock := fixture.Now
	slow.Clock = func() time.Time { clock = clock.Add(usage.MaxScanAge + time.Second); return clock }
	got := failures(slow)
	if len(got) != 2 || got["own "] == "" || !strings.Contains(got[sourceB+" "+accountB], "the limit is 10m0s") {
		t.Errorf("after a scan that took too long: %v", got)
	}
}
