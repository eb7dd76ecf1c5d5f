//go:build integration

package integration_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// wantLeftAlone applies the configuration while a source fails. The run must skip one
// repository with these words, and must delete every image of the others.
func (s *site) wantLeftAlone(configuration, repository string, words ...string) {
	s.Helper()
	before := s.held(repository)
	r := s.apply(configuration, false)
	for _, rr := range r.Repositories {
		left := s.held(rr.Name)
		switch {
		case rr.Name != repository && (rr.Skipped != "" || len(left) > 0):
			s.Errorf("%s is skipped as %q: %s; it has %v", rr.Name, rr.Skipped, rr.Message, left)
		case rr.Name == repository && (rr.Skipped != "in-use scan" || len(left) != len(before)):
			s.Errorf("%s is skipped as %q; of %v it has %v", rr.Name, rr.Skipped, before, left)
		case rr.Name == repository:
			s.wantWords(rr.Message, words...)
		}
	}
}

// wantWords checks that all the words are in the message.
func (s *site) wantWords(message string, words ...string) {
	s.Helper()
	for _, word := range words {
		if !strings.Contains(message, word) {
			s.Errorf("the message is %q, want %q in it", message, word)
		}
	}
}

// wantEmptied applies the configuration and checks that it deletes every image.
func (s *site) wantEmptied(configuration string) {
	s.Helper()
	r := s.apply(configuration, true)
	if r.Totals.Deleted == 0 || r.Totals.Deleted != r.Totals.Evaluated {
		s.Errorf("totals are %+v", r.Totals)
	}
}

// failedLists: if a list of references is unusable, the run skips every repository that
// uses the list.
func (s *site) failedLists() {
	s.create(s.T, "team/api", "")
	s.create(s.T, "lab/api", "")
	s.cluster()
	s.define("api", s.uri("team/api:v1"))
	dir := s.TempDir()
	list := filepath.Join(dir, "refs.json")
	s.tool(s.T, 0, "references", "--config", `{"protect": {"inUse": ["ecs"]}}`, "--out", list)
	content := map[string]any{}
	s.done(json.Unmarshal([]byte(readFile(s.T, list)), &content))
	content["time"] = time.Now().Add(-37 * time.Hour)
	old, err := json.Marshal(content)
	s.done(err)
	for i, failure := range []struct{ text, words string }{
		{string(old), "refs.json: line 1: the list is more than 36 hours old; write it again"},
		{s.uri("team/api:v1") + "\n" + s.uri("Team/api:v1"), `refs.json: line 2: image reference "` + s.uri("Team/api:v1") + `"`},
		{"", "refs.json: the list is empty"},
	} {
		s.done(os.WriteFile(list, []byte(failure.text), 0o600))
		s.wantListFailed(list, fmt.Sprint(i), failure.words)
	}
	s.wantListFailed(filepath.Join(dir, "missing"), "file", "missing", "no such file")
	s.wantListFailed("s3://lists/missing", "object", "s3://lists/missing", "there is no such object")
}

// wantListFailed adds an image to each repository for a run with the list.
func (s *site) wantListFailed(list, name string, words ...string) {
	s.Helper()
	for _, repository := range []string{"team/api", "lab/api"} {
		s.add(repository, image{name: name})
	}
	configuration := everything(`"inUse": [], "references": ["`+list+`"]`, entryFor("lab/*", `"protect": {"references": []}`))
	s.wantLeftAlone(configuration, "team/api", append(words, "in-use scan: ")...)
}

// A failure is a way for a source to fail.
type failure struct {
	name, source string
	// call is the end of the target or path of the calls that get the answer.
	call   string
	status int
	answer string
	// words must be in the report.
	words []string
}

// failures are failures that moto does not have.
var failures = []failure{
	{
		"ECS denies", "ecs", ".ListTasks", http.StatusBadRequest, `{"__type": "AccessDeniedException", "Message": "no"}`,
		[]string{"in-use scan: ecs: list tasks in ", "; allow the action ecs:ListTasks"},
	},
	{
		"ECS is not offered", "ecs", ".ListClusters", http.StatusBadRequest, `{"__type": "UnknownOperationException"}`,
		[]string{"in-use scan: ecs: list clusters: ", `take "ecs" out of protect.inUse`},
	},
	{
		"a listing does not end", "ecs", ".ListTaskDefinitionFamilies", http.StatusOK, `{"families": [], "nextToken": "more"}`,
		[]string{"in-use scan: ecs: list task definition families: ", "cut short"},
	},
	{
		"a task is not described", "ecs", ".ListTasks", http.StatusOK, `{"taskArns": ["arn:aws:ecs:eu-west-1:123456789012:task/prod/1"]}`,
		[]string{"in-use scan: ecs: describe tasks in ", "the answer covers 0 of 1"},
	},
	{
		"Lambda denies", "lambda", "/functions", http.StatusForbidden, `{"Message": "no"}`,
		[]string{"in-use scan: lambda: list functions: ", "; allow the action lambda:ListFunctions"},
	},
}

// failedSources: if a source fails, the run skips the repositories whose settings list
// it, and no others.
func (s *site) failedSources() {
	repositories := []string{"ecs/api", "lab/api", "lambda/api"}
	for _, name := range repositories {
		s.create(s.T, name, "")
	}
	s.cluster()
	configuration := everything(`"inUse": ["ecs"]`, entryFor("lab/*", unused), entryFor("lambda/*", `"protect": {"inUse": ["lambda"]}`))
	fill := func(name string) {
		for _, repository := range repositories {
			s.add(repository, image{name: name})
		}
	}
	for _, f := range failures {
		fill(f.name)
		failing := *s
		failing.registry = s.failing(f)
		failing.wantLeftAlone(configuration, f.source+"/api", f.words...)
	}
	broken := s.define("broken", s.uri("Team/api:v1"))
	fill("broken")
	s.wantLeftAlone(configuration, "ecs/api", "in-use scan: ecs: "+broken+": image reference ")
	s.deregister(broken)
	s.wantEmptied(configuration)
}

// failing returns the registry behind a proxy with the failure.
func (s *site) failing(f failure) *registry {
	s.Helper()
	return s.through(func(w http.ResponseWriter, r *http.Request) bool {
		call := cmp.Or(r.Header.Get("X-Amz-Target"), strings.TrimSuffix(r.URL.Path, "/"))
		if !strings.HasSuffix(call, f.call) {
			return false
		}
		if f.status == http.StatusForbidden {
			w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
		}
		w.WriteHeader(f.status)
		_, _ = io.WriteString(w, f.answer) // the program may have gone
		return true
	})
}

// through returns the registry behind a proxy. It passes on what answer does not answer.
func (s *site) through(answer func(http.ResponseWriter, *http.Request) (answered bool)) *registry {
	s.Helper()
	address, err := url.Parse(s.url)
	s.done(err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(address) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	s.Cleanup(server.Close)
	return (&moto{url: server.URL}).registry(s.region)
}

// savedPlan: applying a saved plan scans the in-use sources again. A source that had uses
// and now has none has failed.
func (s *site) savedPlan() {
	s.create(s.T, "team/api", "")
	for _, tag := range []string{"v1", "v2", "v3"} {
		s.add("team/api", image{name: tag, tags: []string{tag}})
	}
	first := s.define("api", s.uri("team/api:v1"))
	file, configuration := filepath.Join(s.TempDir(), "plan.json"), everything(asked)
	s.tool(s.T, 0, "plan", "--config", configuration, "--out", file)
	second := s.define("api", s.uri("team/api:v2"))
	s.tool(s.T, 0, "apply", file, "--config", configuration)
	if got := s.held("team/api"); strings.Join(got, " ") != "v1 v2" {
		s.Errorf("left are %v, want v1, in use all the time, and v2, in use now", got)
	}
	s.add("team/api", image{name: "v4", tags: []string{"v4"}})
	s.tool(s.T, 0, "plan", "--config", configuration, "--out", file)
	s.deregister(first)
	s.deregister(second)
	text := s.tool(s.T, 3, "apply", file, "--config", configuration)
	s.wantWords(string(text), "in-use scan: ecs: had 2 uses before and has none now")
	if got := s.held("team/api"); len(got) != 3 {
		s.Errorf("left are %v", got)
	}
	s.wantEmptied(configuration)
}
