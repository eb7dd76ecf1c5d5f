package bench

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const (
	targetHeader = "X-Amz-Target"
	targetPrefix = "AmazonEC2ContainerRegistry_V20150921."
	contentType  = "application/x-amz-json-1.1"
)

// A Server serves a registry over HTTP. It is safe for concurrent use.
type Server struct {
	registry *fakeecr.Server
	clock    func() time.Time
	size     Size
	latency  time.Duration
	seed     maphash.Seed

	mu       sync.Mutex
	prepared map[string]*prepared // by repository
	calls    map[string]int
	repeats  map[string]int
	seen     map[uint64]bool
}

// NewServer fills a registry and renders its answers. Each call takes the latency plus the
// time of the server. The server's clock starts at now.
func NewServer(size Size, latency time.Duration, now time.Time) *Server {
	began := time.Now()
	clock := func() time.Time { return now.Add(time.Since(began)) }
	s := &Server{
		registry: fakeecr.New(fakeecr.WithClock(clock)), clock: clock, size: size, latency: latency, seed: maphash.MakeSeed(),
		prepared: map[string]*prepared{},
		calls:    map[string]int{}, repeats: map[string]int{}, seen: map[uint64]bool{},
	}
	fill(s.registry, size, now)
	for r := range size.All() {
		s.prepare(Repository(r))
	}
	s.registry.Latency("", latency)
	return s
}

// Throttle limits the calls of an operation like [fakeecr.Server.Throttle]. From then on
// the embedded registry answers every call.
func (s *Server) Throttle(operation string, perSecond float64, burst int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.prepared)
	s.registry.Throttle(operation, perSecond, burst)
}

// SetRepositoryPolicy sets the resource policy of a repository.
func (s *Server) SetRepositoryPolicy(repository, text string) {
	s.registry.SetRepositoryPolicy(repository, text)
}

// ServeHTTP answers a call of the registry, and GET /__stats.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == StatsPath {
		_ = json.NewEncoder(w).Encode(s.Stats()) // the caller sees a broken answer
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	operation := strings.TrimPrefix(r.Header.Get(targetHeader), targetPrefix)
	if answer := s.receive(operation, body); answer != nil {
		time.Sleep(s.latency)
		w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // the caller may have gone
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.registry.ServeHTTP(w, r)
}

// receive counts a call and returns its answer, or nil if the embedded registry must
// answer.
func (s *Server) receive(operation string, body []byte) []byte {
	if operation == "" {
		operation = "GetCallerIdentity" // the only one without a target
	}
	hash := maphash.Bytes(s.seed, append(body, operation...))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[operation]++
	if s.seen[hash] {
		s.repeats[operation]++
	}
	s.seen[hash] = true
	return s.answer(operation, body)
}

// StatsPath is the path of the Stats in JSON.
const StatsPath = "/__stats"

// Stats are the calls and the contents of a server.
type Stats struct {
	// Calls and Repeats count calls by operation. A repeat is a call with the same body as
	// an earlier call of the operation.
	Calls, Repeats map[string]int
	// Images is the number of images, and Digests a checksum of their digests.
	Images  int
	Digests uint64
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := Stats{Calls: maps.Clone(s.calls), Repeats: maps.Clone(s.repeats)}
	for r := range s.size.All() {
		for _, im := range s.registry.Images(Repository(r)) {
			stats.Images++
			word, _ := strconv.ParseUint(im.Digest[len("sha256:"):][:16], 16, 64) // always hexadecimal
			stats.Digests += word
		}
	}
	return stats
}
