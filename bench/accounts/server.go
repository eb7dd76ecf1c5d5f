package accounts

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

// A Server serves the registry and the services around it under one address. The access key
// of a call says which account it is for, and the signature which Region and service. It is
// safe for concurrent use.
type Server struct {
	*bench.Server
	scale   Scale
	latency time.Duration

	mu       sync.Mutex
	stats    Stats
	running  int
	attempts map[int]int     // by the hash of the call
	asked    map[string]bool // the places
	clients  map[string]bool // their addresses, one for each connection
}

// Stats count the calls of all services but ECR.
type Stats struct {
	// Calls count by service and operation, such as ecs.ListTasks. Throttled are among them.
	Calls     map[string]int
	Throttled int
	// Places is the number of accounts and Regions with calls other than STS.
	Places int
	// AtATime is the largest number of calls at the same time.
	AtATime int
	// Connections is the number of opened connections, also for ECR.
	Connections int
}

// Total returns the number of calls.
func (s Stats) Total() (n int) {
	for _, calls := range s.Calls {
		n += calls
	}
	return n
}

// StatsPath is the path of the Stats in JSON.
const StatsPath = "/__accounts"

// NewServer returns a server of that scale. Each call takes the latency.
func NewServer(scale Scale, latency time.Duration, now time.Time) *Server {
	s := &Server{
		Server: bench.NewServer(scale.Size, latency, now), scale: scale, latency: latency,
		stats: Stats{Calls: map[string]int{}}, attempts: map[int]int{}, asked: map[string]bool{}, clients: map[string]bool{},
	}
	for r := range scale.All() {
		s.SetRepositoryPolicy(bench.Repository(r), scale.policyOf(r))
	}
	return s
}

// A call is a call of a service in a place.
type call struct {
	place
	service, operation string
	path               string // of REST calls
	body               []byte
	in                 input
}

// An input has the members of requests that the answers depend on.
type input struct {
	DesiredStatus, FamilyPrefix, TaskDefinition, Service string
	NextToken                                            string
	MaxResults                                           int
	Tasks, Services                                      []string
	ServiceDeploymentArns, ServiceRevisionArns           []string
}

// ServeHTTP answers a call of any service, GET StatsPath and GET [bench.StatsPath].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, region, service := scope(r)
	s.connected(r.RemoteAddr)
	switch {
	case r.URL.Path == StatsPath:
		_ = json.NewEncoder(w).Encode(s.AccountStats()) // the caller sees a broken answer
		return
	case service == "" || service == "ecr":
		s.Server.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	c := call{place: newPlace(accountOf(key), region), service: service, path: r.URL.Path, body: body}
	c.name(r)
	throttled := s.begin(c)
	time.Sleep(s.latency)
	s.end()
	answer := s.answer(c, r)
	if throttled {
		answer = c.throttled()
	}
	answer.write(w)
}

// name sets the operation and the input of the call.
func (c *call) name(r *http.Request) {
	_, c.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case c.operation != "":
		_ = json.Unmarshal(c.body, &c.in) // an input that is not known has no members
	case c.service == "lambda":
		c.operation = lambdaOperation(c.path)
	case c.service == "sts":
		in, _ := url.ParseQuery(string(c.body)) // a form that cannot be read has no action
		c.operation = in.Get("Action")
	default:
		c.operation = r.Method + " " + c.path
	}
}

// scope returns the access key, the Region and the service in the signature.
func scope(r *http.Request) (key, region, service string) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	if parts := strings.Split(credential, "/"); len(parts) == 5 {
		return parts[0], parts[2], parts[3]
	}
	return "", "", ""
}

func (s *Server) connected(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[address] = true
}

// begin counts a call and reports whether it is throttled. That follows from the call and
// from the number of its attempts.
func (s *Server) begin(c call) (throttled bool) {
	call := hash(c.account, c.region, c.service, c.operation, c.path, string(c.body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[call]++
	throttled = hash(call, s.attempts[call])%100 < s.scale.Throttled
	if throttled {
		s.stats.Throttled++
	}
	s.running++
	s.stats.AtATime = max(s.stats.AtATime, s.running)
	s.stats.Calls[c.service+"."+c.operation]++
	if c.service != "sts" {
		s.asked[c.account+"/"+c.region] = true
	}
	return throttled
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
}

// AccountStats returns the counts so far.
func (s *Server) AccountStats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Calls, stats.Places, stats.Connections = maps.Clone(stats.Calls), len(s.asked), len(s.clients)
	return stats
}

func (s *Server) answer(c call, r *http.Request) answer {
	switch {
	case c.service == "sts":
		return s.sts(c)
	case c.account != RegistryAccount && r.Header.Get("X-Amz-Security-Token") != sessionToken(c.account):
		return failed(c, http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case c.service == "ecs":
		return answer{text: s.ecs(c)}
	case c.service == "lambda":
		return s.lambda(c, r.URL.Query())
	case empty[c.service] != "":
		return answer{text: empty[c.service]}
	}
	return failed(c, http.StatusBadRequest, "UnknownOperationException", "")
}
