package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A call is a request of the run.
type call struct {
	seq             int
	operation, repo string
	digests, tags   []string
	token           string
	sent            time.Time // at the service
	request         *http.Request
	body            []byte
	seen            map[string]imageOf // the truth when it was carried out
}

func (c *call) removes() bool {
	return c.operation == "BatchDeleteImage" || c.operation == "UpdateImageStorageClass"
}

// An answer has the members of ECR's answers that the test uses.
type answer struct {
	NextToken    string   `json:"nextToken"`
	ImageDetails []detail `json:"imageDetails"`
	Failures     []struct {
		ImageID detail `json:"imageId"`
		Code    string `json:"failureCode"`
	} `json:"failures"`
}

type detail struct {
	ImageDigest string `json:"imageDigest"`
	ImageTag    string `json:"imageTag"`
}

var errReset = errors.New("connection reset by peer")

// RoundTrip carries out one call, with the events and faults around it.
func (f *fixture) RoundTrip(request *http.Request) (*http.Response, error) {
	c, random := f.send(request)
	defer f.endReads(c)
	if onTheWay := 5 * time.Millisecond; c.operation == "GetRegistryPolicy" {
		f.pass(onTheWay) // the caller holds a mutex
	} else {
		time.Sleep(onTheWay) // no two calls are at one instant
	}
	f.mu.Lock()
	f.change(random, c.repo, c.digests)
	f.mu.Unlock()
	fault := f.fault(c, random)
	switch fault {
	case "slow request":
		if late := delay(random); !wait(request.Context(), late) { // the request is under way without its caller
			f.late(c, random, late)
			return nil, request.Context().Err()
		}
	case "throttled":
		return f.refuse(c, "ThrottlingException", http.StatusBadRequest)
	case "denied":
		return f.refuse(c, "AccessDeniedException", http.StatusBadRequest)
	case "server error":
		return f.refuse(c, "ServerException", http.StatusInternalServerError)
	case "reset":
		return nil, errReset
	case "late work":
		f.late(c, random, pick(random, time.Second, 7*time.Second, time.Minute, 15*time.Minute))
		return nil, errReset
	}
	response := f.carryOut(c, random, fault)
	f.mu.Lock()
	f.change(random, c.repo, c.digests)
	f.mu.Unlock()
	switch fault {
	case "slow answer":
		wait(request.Context(), delay(random))
	case "lost answer":
		return nil, errReset
	}
	if err := request.Context().Err(); err != nil {
		return nil, err // the caller has gone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deliver(c, response)
	return f.stamp(response.Result()), nil
}

// late makes the registry carry out a removing call after that time.
func (f *fixture) late(c *call, random *rand.Rand, after time.Duration) {
	if c.removes() {
		f.pending.Go(func() {
			time.Sleep(after)
			f.carryOut(c, random, "")
		})
	}
}

// wait waits, and reports whether the caller has not given up meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func delay(random *rand.Rand) time.Duration {
	return pick(random, 500*time.Millisecond, 3*time.Second, 3*time.Second, 20*time.Second, 20*time.Second, 4*time.Minute, 11*time.Minute)
}

// stamp dates the answer by the service's clock.
func (f *fixture) stamp(r *http.Response) *http.Response {
	r.Header.Set("Date", f.clocks.service().Format(http.TimeFormat))
	return r
}

// send reads a call and judges it if it removes.
func (f *fixture) send(request *http.Request) (*call, *rand.Rand) {
	body, _ := io.ReadAll(request.Body) // it is in memory
	c := &call{request: request, body: body}
	c.read(request)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	c.seq, c.sent = f.seq, f.clocks.service()
	if f.seq == f.interruptAt {
		f.notef("   the run is interrupted")
		f.interrupted()
	}
	f.notef("#%d %s %s %s %v", c.seq, c.operation, c.repo, f.namesOf(c.digests), c.tags)
	if c.removes() {
		f.judgeRemoval(c)
	}
	f.rechecked = f.rechecked || len(c.digests) > 0 && c.operation == "DescribeImages"
	return c, f.chance(c.operation + " " + c.repo)
}

func (c *call) read(request *http.Request) {
	_, c.operation, _ = strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	if c.operation == "" {
		form, _ := url.ParseQuery(string(c.body)) // a text that is no form has no action
		c.operation = form.Get("Action")
		return
	}
	var in struct {
		RepositoryName, NextToken string
		ImageIDs                  []detail `json:"imageIds"`
		ImageID                   detail   `json:"imageId"`
	}
	_ = json.Unmarshal(c.body, &in) // the registry refuses a wrong request
	c.repo, c.token = in.RepositoryName, in.NextToken
	for _, id := range append(in.ImageIDs, in.ImageID) {
		if id.ImageDigest != "" {
			c.digests = append(c.digests, id.ImageDigest)
		} else if id.ImageTag != "" {
			c.tags = append(c.tags, id.ImageTag)
		}
	}
}

// fault draws the fault of the call, or none.
func (f *fixture) fault(c *call, random *rand.Rand) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asksExclusion := c.operation == "GetCallerIdentity" || c.operation == "ListPullTimeUpdateExclusions"
	rate := f.faultRate
	if asksExclusion && f.exclusionFaults {
		rate = 0.6
	}
	isPolicy := c.operation == "GetRepositoryPolicy" || c.operation == "GetRegistryPolicy"
	switch several := f.workers > 1 || len(f.repositories) > 1; {
	case isPolicy && f.admissions[c.repo].name == "denied":
		return "denied"
	case c.operation == "GetRegistryPolicy" && several:
		return "" // another repository may wait for the mutex of the caller, see pass
	}
	if !f.begun() || random.Float64() >= rate {
		return ""
	}
	kinds := []string{"throttled", "server error", "reset", "lost answer", "slow request", "slow answer", "slow answer"}
	switch {
	case asksExclusion:
		kinds = append(kinds, "denied", "denied")
	case c.operation == "BatchGetImage":
		kinds = append(kinds, "unread image", "unread image", "denied")
	case c.operation == "BatchDeleteImage":
		kinds = append(kinds, "refused image", "refused image", "late work", "late work", "lost answer")
	case c.operation == "UpdateImageStorageClass":
		kinds = append(kinds, "late work", "lost answer")
	}
	kind := pick(random, kinds...)
	f.notef("   fault: %s", kind)
	f.tally.note("fault: " + kind)
	return kind
}

// refuse answers that the registry has done nothing.
func (f *fixture) refuse(c *call, code string, status int) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.attemptsOf(c) {
		a.throttled = code == "ThrottlingException"
	}
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/x-amz-json-1.1")
	answer.WriteHeader(status)
	_, _ = answer.WriteString(`{"__type": "` + code + `", "message": "by the test"}`) // into memory
	return f.stamp(answer.Result()), nil
}

// carryOut makes the registry carry out the call, and notes the images that changed.
func (f *fixture) carryOut(c *call, random *rand.Rand, fault string) *httptest.ResponseRecorder {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.images(c.repo)
	if fault == "refused image" && len(before) > 0 {
		refused := f.targets(c, before)
		if len(refused) > 0 {
			digest := pick(random, refused...)
			f.server.RefuseImage(digest, pick(random, "KmsError", "ImageInaccessible", "UpstreamUnavailable"))
			defer f.server.RefuseImage(digest, "")
		}
	}
	request, response := c.request.WithContext(f.background), httptest.NewRecorder()
	request.Body = io.NopCloser(bytes.NewReader(c.body))
	f.server.ServeHTTP(response, request)
	if c.removes() {
		f.noteDeeds(c, before, f.images(c.repo))
	}
	if c.operation == "DescribeImages" {
		c.seen = before
	}
	if fault == "unread image" && response.Code == http.StatusOK {
		response = unread(response, random)
	}
	return response
}

// targets returns the digests of the images that the call is about.
func (f *fixture) targets(c *call, images map[string]imageOf) []string {
	targets := slices.Clone(c.digests)
	for digest, im := range images {
		if slices.ContainsFunc(im.Tags, func(tag string) bool { return slices.Contains(c.tags, tag) }) {
			targets = append(targets, digest)
		}
	}
	slices.Sort(targets)
	return targets
}

// unread moves one image of a BatchGetImage's answer to its failures.
func unread(response *httptest.ResponseRecorder, random *rand.Rand) *httptest.ResponseRecorder {
	var out map[string][]map[string]any
	if json.Unmarshal(response.Body.Bytes(), &out) != nil || len(out["images"]) == 0 {
		return response
	}
	digest := pick(random, out["images"]...)["imageId"].(map[string]any)["imageDigest"]
	out["images"] = slices.DeleteFunc(out["images"], func(im map[string]any) bool { return im["imageId"].(map[string]any)["imageDigest"] == digest })
	out["failures"] = append(out["failures"], map[string]any{
		"imageId": map[string]any{"imageDigest": digest}, "failureCode": pick(random, "KmsError", "UpstreamUnavailable", "ImageInaccessible"), "failureReason": "by the test",
	})
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	changed := httptest.NewRecorder()
	changed.Header().Set("Content-Type", response.Header().Get("Content-Type"))
	changed.WriteHeader(http.StatusOK)
	changed.Body.Write(text)
	return changed
}

// noteDeeds notes the images that a removing call removed or changed.
func (f *fixture) noteDeeds(c *call, before, after map[string]imageOf) {
	for digest, was := range before {
		is, there := after[digest]
		if there && is.Status == was.Status && len(is.Tags) == len(was.Tags) {
			continue
		}
		if f.deeds[digest] == nil {
			f.deeds[digest] = &deed{}
		}
		d := f.deeds[digest]
		d.at = f.clocks.service()
		d.deleted = d.deleted || !there
		if f.rounds && f.requested[c.repo][digest] {
			f.removedByAll[digest] = true
			if !there {
				f.together.taken[digest]++
			}
		}
		d.archived = d.archived || there && is.Status != was.Status
		d.untagged = d.untagged || there && len(is.Tags) != len(was.Tags)
		f.notef("   #%d took effect on %s", c.seq, f.names[digest])
	}
}

// endReads notes the end of the time in which a pull may be the cleaner's own.
func (f *fixture) endReads(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.operation == "BatchGetImage" {
		for _, digest := range c.digests {
			f.reads[digest] = append(f.reads[digest], read{c.sent.Truncate(time.Millisecond), f.clocks.service(), f.learnt})
		}
	}
}

// deliver notes the facts that the run learns from an answer.
func (f *fixture) deliver(c *call, response *httptest.ResponseRecorder) {
	var out answer
	if response.Code == http.StatusOK && c.operation != "GetCallerIdentity" {
		_ = json.Unmarshal(response.Body.Bytes(), &out) // it is the registry's own
	}
	switch ok := response.Code == http.StatusOK; {
	case c.operation == "GetCallerIdentity":
	case c.operation == "ListPullTimeUpdateExclusions":
		f.learnt.exclusions = f.learnt.exclusions || ok
	case c.operation == "DescribeImages" && ok && len(c.digests) > 0:
		f.deliverRecheck(c, &out)
	case c.operation == "DescribeImages" && ok:
		f.deliverPage(c, &out)
	case c.operation == "DescribeImages" && len(c.digests) == 1:
		f.views[c.repo].rechecks[c.digests[0]] = recheck{asked: c.sent, seq: c.seq} // not found
	case c.operation == "BatchGetImage" && ok:
		f.deliverManifests(c, &out)
	case c.removes():
		f.deliverRemoval(c, &out, ok)
	}
}

func (f *fixture) deliverRecheck(c *call, out *answer) {
	for _, im := range out.ImageDetails {
		f.views[c.repo].rechecks[im.ImageDigest] = recheck{asked: c.sent, seq: c.seq, image: c.seen[im.ImageDigest]}
	}
}

func (f *fixture) deliverPage(c *call, out *answer) {
	v := f.views[c.repo]
	if c.token == "" {
		v.pages, v.listing = map[string]imageOf{}, nil
	}
	for _, im := range out.ImageDetails {
		v.pages[im.ImageDigest] = c.seen[im.ImageDigest]
	}
	if out.NextToken != "" {
		f.moveTag(c)
		return
	}
	v.listing = v.pages
	f.pullIndex(c)
	if v.first == nil {
		v.first = v.listing
	}
}

func (f *fixture) deliverManifests(c *call, out *answer) {
	for _, digest := range c.digests {
		delete(f.unread, digest)
		f.views[c.repo].read[digest] = true
	}
	for _, failed := range out.Failures {
		delete(f.views[c.repo].read, failed.ImageID.ImageDigest)
		if failed.Code != "ImageNotFound" { // archived, or gone meanwhile
			f.unread[failed.ImageID.ImageDigest] = failed.Code
		}
	}
}

func (f *fixture) deliverRemoval(c *call, out *answer, ok bool) {
	for digest, a := range f.attemptsOf(c) {
		a.answered, a.at = true, f.clocks.service()
		if !ok {
			a.code = "error"
		}
		for _, failed := range out.Failures {
			if failed.ImageID.ImageDigest == digest || slices.Contains(a.tags, failed.ImageID.ImageTag) {
				a.code = failed.Code
			}
		}
	}
}

// attemptsOf returns the attempts of the call, by digest.
func (f *fixture) attemptsOf(c *call) map[string]*attempt {
	attempts := map[string]*attempt{}
	for digest, all := range f.attempts {
		for _, a := range all {
			if a.seq == c.seq {
				attempts[digest] = a
			}
		}
	}
	return attempts
}
