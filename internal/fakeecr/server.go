package fakeecr

import (
	"crypto/rand"
	"sync"
	"time"
)

// A Server is a registry and its [net/http.Handler]. It is safe for concurrent use; each
// call is atomic.
type Server struct {
	account, region string
	now             func() time.Time
	tokenKey        []byte
	controls        controls
	injector        injector

	mu             sync.Mutex // guards the fields below
	repositories   map[string]*repository
	byName         []*repository // nil after a change of the repositories
	pullExcluded   bool
	registryPolicy string // or ""
	replication    []ReplicationRule
	backfills      []ReplicationBackfill
	refused        map[string]string // failure codes by digest
	serial         uint64            // of the last generated manifest
	injection      *injection        // the fault of the call that is carried out
}

// An Option is an option of [New].
type Option func(*Server)

// WithClock sets the clock for the times of images and the Date of answers. The default is
// time.Now. Throttling and latency use real time.
func WithClock(now func() time.Time) Option {
	return func(s *Server) { s.now = now }
}

// WithAccount sets the account of the registry. The default is 123456789012.
func WithAccount(id string) Option {
	return func(s *Server) { s.account = id }
}

// WithRegion sets the Region in ARNs and URIs. The default is eu-west-1.
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

// instant returns the time of the clock in milliseconds.
func (s *Server) instant() time.Time { return milliseconds(s.now()) }
