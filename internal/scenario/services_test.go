package scenario_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A services is a fake ECS and Lambda in front of a registry. It has a text for each
// operation of ECS and each path of Lambda. In a text, HOST is the registry's host, and
// @NAME the digest of an image.
type services struct {
	registry http.Handler
	answers  map[string]string
	// denied are the operations and paths that are not allowed.
	denied map[string]bool
}

const (
	ecsTarget  = "AmazonEC2ContainerServiceV20141113."
	lambdaPath = "/2015-03-31/functions"
)

// nothing is an answer with all empty lists.
const nothing = `{"clusterArns": [], "taskArns": [], "serviceArns": [], "serviceDeployments": [], "families": [], "failures": [],
	"taskSets": [], "daemonSummariesList": [], "daemonTaskDefinitions": [], "Functions": [], "Aliases": []}`

func (s services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, isECS := strings.CutPrefix(r.Header.Get("X-Amz-Target"), ecsTarget)
	if path, isLambda := strings.CutPrefix(r.URL.Path, lambdaPath); isLambda {
		name = "lambda " + strings.Trim(path, "/") + r.URL.Query().Get("Qualifier")
	} else if !isECS {
		s.registry.ServeHTTP(w, r)
		return
	}
	if s.denied[name] {
		w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message": "not authorized"}`)
		return
	}
	text := strings.ReplaceAll(s.answers[name], "HOST", host)
	text = regexp.MustCompile(`@[a-z0-9-]+`).ReplaceAllStringFunc(text, func(name string) string { return "@" + digestOf(name[1:]) })
	if text == "" {
		text = nothing
	}
	_, _ = io.WriteString(w, text)
}

// withServices returns a fixture with the programs' own in-use sources.
func withServices(t *testing.T, p picture, answers map[string]string, denied ...string) *fixture {
	t.Helper()
	f := emptyFixture(p)
	s := services{f.journal, answers, map[string]bool{}}
	for _, name := range denied {
		s.denied[name] = true
	}
	f.connect(t, s)
	return f
}

func TestPitfall10ScopeHoles(t *testing.T) {
	t.Parallel()
	p := draw(`
		running   90d
		stopped   90d
		zero      90d #zero
		revision  90d #revision
		v3        90d
		aliased   90d
		latest-fn 90d
		elsewhere 90d #elsewhere
		unused    90d`)
	f := withServices(t, p, map[string]string{
		"ListClusters": `{"clusterArns": ["c"]}`,
		"ListTasks":    `{"taskArns": ["t1", "t2"]}`,
		"DescribeTasks": `{"tasks": [
			{"taskArn": "t1", "lastStatus": "RUNNING", "containers": [{"image": "HOST/app:moved@running"}]},
			{"taskArn": "t2", "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "containers": [{"image": "HOST/app@stopped"}]}]}`,
		"ListServices":               `{"serviceArns": ["s"]}`,
		"DescribeServices":           `{"services": [{"serviceArn": "s", "status": "ACTIVE", "desiredCount": 0, "taskDefinition": "d/zero:1"}]}`,
		"ListTaskDefinitionFamilies": `{"families": ["f"]}`,
		"ListTaskDefinitions":        `{"taskDefinitionArns": ["d/f:9"]}`,
		"DescribeTaskDefinition":     `{"taskDefinition": {"containerDefinitions": [{"image": "HOST/app:zero"}, {"image": "HOST/app:revision"}]}}`,
		"lambda ":                    `{"Functions": [{"FunctionName": "fn", "Version": "$LATEST", "FunctionArn": "fn"}, {"FunctionName": "fn", "Version": "3", "FunctionArn": "fn:3"}]}`,
		"lambda fn":                  `{"Configuration": {}, "Code": {"ImageUri": "HOST/app@latest-fn"}}`,
		"lambda fn3":                 `{"Configuration": {}, "Code": {"ImageUri": "HOST/app@v3"}}`,
		"lambda fn/aliases":          `{"Aliases": [{"AliasArn": "fn:live", "FunctionVersion": "2"}]}`,
		"lambda fn2":                 `{"Configuration": {}, "Code": {"ImageUri": "HOST/app@aliased"}}`,
	})
	list := filepath.Join(t.TempDir(), "other-account.txt")
	awstest.NoError(t, os.WriteFile(list, []byte(host+"/app:elsewhere # in another account\n"), 0o600))
	report := f.apply(t, configuration("expire any pushed>30", fmt.Sprintf(`"inUse": ["ecs", "lambda"], "references": [%q]`, list), ""))
	sameLines(t, "skipped", skips(&report), "")
	sameLines(t, "outcomes", f.outcomes(&report), `
		running: expire, inUse t1…
		stopped: expire, inUse t2…
		zero: expire, inUse d/f:9…
		revision: expire, inUse d/f:9…
		v3: expire, inUse fn:3
		aliased: expire, inUse fn:live
		latest-fn: expire, inUse fn
		elsewhere: expire, inUse `+list+`:1
		unused: expire, deleted`)
}

// A source is a fake in-use source.
type source struct {
	name string

	mu    sync.Mutex
	uses  []inuse.Use
	err   error
	asked int
}

func (s *source) Name() string { return s.name }

func (s *source) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	uses, err := slices.Clone(s.uses), s.err
	return func(yield func(inuse.Use, error) bool) {
		for _, use := range uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(inuse.Use{}, err)
		}
	}
}

// answer sets the uses: one on each line, "BY REFERENCE", or "BY REFERENCE all" for all images
// of the repository. A reference without a host is to the registry of the fixture, and
// @NAME is the digest of an image.
func (s *source) answer(tb testing.TB, text string) {
	tb.Helper()
	var uses []inuse.Use
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		ref, err := reference.Parse(spell(words[1]))
		awstest.NoError(tb, err)
		uses = append(uses, inuse.Use{Reference: ref, By: words[0], Source: s.name, AllImages: len(words) > 2})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses = uses
}

// spell completes a reference.
func spell(text string) string {
	image, name, digest := strings.Cut(text, "@")
	if !strings.Contains(image, ".") {
		image = host + "/" + image
	}
	if !digest {
		return image
	}
	return image + "@" + digestOf(name)
}
