package scenario_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

var faultKinds = []fakeecr.FaultKind{
	fakeecr.Throttled, fakeecr.ServerError, fakeecr.BadGateway, fakeecr.Reset, fakeecr.LostAnswer, fakeecr.LateWork,
	fakeecr.SlowAnswer, fakeecr.CutAnswer, fakeecr.TruncatedJSON, fakeecr.EmptyAnswer, fakeecr.HTMLAnswer, fakeecr.WrongContentType,
	fakeecr.EmptyPage, fakeecr.RepeatedPage, fakeecr.OverlappingPage, fakeecr.RepeatedToken, fakeecr.ExpiredToken,
	fakeecr.RefusedImages, fakeecr.VanishedImage,
}

// refusals are failure codes for images. ECR returns ImageNotFound only for images that
// do not exist.
var refusals = slices.DeleteFunc(slices.Clone(fakeecr.ImageFailureCodes), func(code string) bool { return code == "ImageNotFound" })

// drawFaults draws faults for up to 30 % of the calls: of all calls, or of those that
// describe and remove, so that more runs reach the removals. Faults that only a few calls
// can have are more frequent: refused images need a deletion, and a wrong token needs a
// short page.
func (s *soak) drawFaults() {
	operations := []string{"DescribeImages", "BatchDeleteImage", "UpdateImageStorageClass"}
	if s.random.IntN(2) == 0 {
		operations = append(operations, "DescribeRepositories", "BatchGetImage", "GetLifecyclePolicy", "GetRepositoryPolicy")
		if !s.pullsAreNotRecorded { // else the answer decides which pulls of indexes count
			operations = append(operations, "ListPullTimeUpdateExclusions")
		}
	}
	s.faults = fakeecr.Faults{
		Seed: s.random.Uint64(), Delay: pick(s.random, time.Second, 5*time.Second, 15*time.Second, 2*time.Minute),
	}
	short := 0.3 * s.random.Float64()
	kinds := make([]fakeecr.FaultKind, 1+s.random.IntN(5))
	rate := pick(s.random, 0.3, 0.3*s.random.Float64()) / float64(len(kinds))
	for i := range kinds {
		code := pick(s.random, refusals...)
		kinds[i] = pick(s.random, append(faultKinds, fakeecr.RefusedImages, fakeecr.RefusedImages)...)
		for _, operation := range operations {
			rule := fakeecr.FaultRule{Kind: kinds[i], Operation: operation, Probability: rate}
			switch kinds[i] {
			case fakeecr.RefusedImages:
				rule.Probability, rule.Code = 0.3, code
			case fakeecr.RepeatedToken, fakeecr.ExpiredToken:
				short, rule.Probability = 0.5, 0.3
			}
			s.faults.Rules = append(s.faults.Rules, rule)
		}
	}
	s.faults.Rules = append(s.faults.Rules, fakeecr.FaultRule{Kind: fakeecr.ShortPage, Operation: "DescribeImages", Probability: short})
}

// A rate refuses calls that come too soon after the last admitted call of the same
// operation.
type rate struct {
	next       http.Handler
	operations []string
	least      time.Duration

	mu      sync.Mutex
	last    map[string]time.Time
	refused int
}

// limitRate puts a rate in front of the registry in one of four runs.
func (s *soak) limitRate() *rate {
	r := &rate{next: s.line.next, least: pick(s.random, 50*time.Millisecond, 300*time.Millisecond, time.Second), last: map[string]time.Time{}}
	if s.random.IntN(4) == 0 {
		r.operations = pick(s.random, []string{"DescribeImages"}, []string{"BatchDeleteImage", "UpdateImageStorageClass"})
		s.line.next = r
	}
	return r
}

func (r *rate) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	if !slices.Contains(r.operations, operation) || r.allows(operation) {
		r.next.ServeHTTP(w, request)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"__type": "ThrottlingException", "message": "Rate exceeded"}`) // the caller may have gone
}

func (r *rate) allows(operation string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if last, known := r.last[operation]; known && now.Sub(last) < r.least {
		r.refused++
		return false
	}
	r.last[operation] = now
	return true
}

func (r *rate) refusals() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}
