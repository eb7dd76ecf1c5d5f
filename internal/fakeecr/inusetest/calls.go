package inusetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// A Service plays a service with a JSON API. It answers with what it holds, in pages. A call
// is the name of an operation and, after a space, what it is about: "DescribeModel one".
type Service struct {
	Recorder
	Call    func(r *http.Request, in Object) string // returns the call
	Lists   map[string]List                         // by call
	Objects map[string]Object                       // the answers by call
	Missing Fault                                   // the answer to other calls
	Page    int                                     // items on a page; 0 is all
	Token   string                                  // the member of answers with the next token

	mu     sync.Mutex
	faults map[string][]Fault // by operation, for its first calls
}

// A List is the answer to a listing.
type List struct {
	Member string
	Items  []Object
}

// A Fault is an answer that is an error.
type Fault struct {
	Status        int
	Code, Message string
}

// ServeHTTP implements [http.Handler].
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := Object{}
	_ = json.NewDecoder(r.Body).Decode(&in) // the body of a GET is empty
	call := s.Call(r, in)
	operation, _, _ := strings.Cut(call, " ")
	defer s.Begin(operation)()
	list, isList := s.Lists[call]
	out, isObject := s.Objects[call]
	fault, isFault := s.fault(operation)
	switch {
	case isFault:
	case isList:
		token, _ := in["NextToken"].(string)
		Answer(w, http.StatusOK, s.page(list, token+r.URL.Query().Get("nextToken")))
		return
	case isObject:
		Answer(w, http.StatusOK, out)
		return
	default:
		fault = s.Missing
	}
	w.Header().Set("X-Amzn-Errortype", fault.Code)
	Answer(w, fault.Status, Object{"__type": fault.Code, "message": fault.Message})
}

func (s *Service) fault(operation string) (fault Fault, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if faults := s.faults[operation]; len(faults) > 0 {
		s.faults[operation] = faults[1:]
		return faults[0], true
	}
	return Fault{}, false
}

func (s *Service) page(list List, token string) Object {
	start, _ := strconv.Atoi(strings.TrimPrefix(token, "a/b+c d="))
	end := len(list.Items)
	if s.Page > 0 {
		end = min(start+s.Page, end)
	}
	out := Object{list.Member: append([]Object{}, list.Items[start:end]...)}
	if end < len(list.Items) {
		out[s.Token] = "a/b+c d=" + strconv.Itoa(end)
	}
	return out
}

// Fail sets the faults of the next calls of an operation.
func (s *Service) Fail(operation string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = map[string][]Fault{operation: faults}
}

// CheckSource checks the behaviour that the sources of all services share. Open returns the service
// with images of which each operation finds some. The actions are those of the source.
func CheckSource(t *testing.T, actions []string, open func() *Service, source func(aws.Config) inuse.Source) {
	t.Helper()
	config := func(s *Service) aws.Config {
		cfg := ConfigFor("https://aws.invalid")
		cfg.HTTPClient = awstest.InProcess(s)
		return cfg
	}
	whole := open()
	want, err := Uses(t, source(config(whole)))
	awstest.NoError(t, err)
	check := func(what string, cfg aws.Config) {
		t.Helper()
		got, err := Uses(t, source(cfg))
		awstest.NoError(t, err)
		awstest.Equal(t, "uses with "+what, want, got)
	}
	for _, action := range actions {
		operation := action[strings.Index(action, ":")+1:]
		awstest.Equal(t, operation+" is called", true, whole.Count(operation) > 0)
		s := open()
		s.Fail(operation, slices.Repeat([]Fault{{http.StatusForbidden, "AccessDeniedException", "not authorized"}}, 99)...)
		WantFailure(t, source(config(s)), "not authorized; allow the action "+action)
		s = open()
		s.Fail(operation, Fault{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}, Fault{http.StatusTooManyRequests, "TooManyRequestsException", ""})
		check("throttled "+operation, awstest.Attempts(config(s), 3))
	}
	checkLists(t, open, func(s *Service) inuse.Source { return source(config(s)) })
	s := open()
	s.Page = 1
	check("small pages", config(s))
	s = open()
	s.extend()
	check("unknown members", config(s))
	checkNoHost(t, `take "`+source(config(s)).Name()+`" out of protect.inUse`, source)
}

// checkLists checks empty lists, and answers without a list or with an item without a name.
func checkLists(t *testing.T, open func() *Service, source func(*Service) inuse.Source) {
	t.Helper()
	empty := open()
	for call, list := range empty.Lists {
		empty.Lists[call] = List{Member: list.Member}
		for member, words := range map[string]string{"Other": "", empty.Token: "the answer has no list"} {
			s := open()
			delete(s.Lists, call)
			s.Objects[call] = Object{member: "x"}
			WantFailure(t, source(s), words)
		}
		if len(list.Items) > 0 {
			s := open()
			s.Lists[call] = List{list.Member, []Object{{"other": "x"}}}
			WantFailure(t, source(s), "the answer has an item without a")
		}
	}
	WantUses(t, source(empty))
}

// extend adds members that no version of the API has yet.
func (s *Service) extend() {
	for _, list := range s.Lists {
		for i, item := range list.Items {
			list.Items[i] = extended(item)
		}
	}
	for call, out := range s.Objects {
		s.Objects[call] = extended(out)
	}
}

func extended(o Object) Object {
	out := maps.Clone(o)
	for name, value := range out {
		if inner, is := value.(Object); is {
			out[name] = extended(inner)
		}
	}
	out["NewField"] = Object{"of": []string{"tomorrow"}}
	return out
}
