package fakeecr

import (
	"crypto/rand"
	"sync"
	"time"
)

// A Server is a registry and the [net/http.Handler] that serves it. It is safe
// for concurrent use; each call is carried out as a whole.
type Server struct {
	account, region string
	now             func() time.Time
	tokenKey        []byte
	controls        controls
	injector        injector

	mu           sync.Mutex // guards what follows
	repositories map[string]*repository
	byName       []*repository // nil when a repository has come or gone since
	pullExcluded bool
	refused      map[string]string // failure codes by digest
	serial       uint64            // of the last generated manifest
	strike       *strike           // the fault of the call that is carried out
}

// An Option sets something of a new server.
type Option func(*Server)

// WithClock sets the clock that stamps pushes, pulls, changes of storage class
// and the Date of each answer. The default is time.Now. Throttling and latency run on real time.
func WithClock(now func() time.Time) Option {
	return func(s *Server) { s.now = now }
}

// WithAccount sets the registry's id. The default is 123456789012.
func WithAccount(id string) Option {
	return func(s *Server) { s.account = id }
}

// WithRegion sets the region that ARNs and URIs name. The default is
// eu-west-1.
func WithRegion(name string) Option {
	return func(s *Server) { s.region = name }
}

// New returns an empty registry.
func New(options ...Option) *Server {
	realTime := time.Now //nolint:forbidigo // throttles run on it, and it is the documented default
	s := &Server{
		account:      "123456789012",
		region:       "eu-west-1",
		now:          realTime,
		tokenKey:     []byte(rand.Text()),
		controls:     newControls(realTime),
		repositories: map[string]*repository{},
		refused:      map[string]string{},
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// instant returns the present as the registry records it.
func (s *Server) instant() time.Time { return milliseconds(s.now()) }
