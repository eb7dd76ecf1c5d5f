package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A site is an account whose registry is used by one cluster. All images expire.
type site struct {
	*cluster
	*account
	names map[string]string // of the images, by digest
}

func newSite(t *testing.T, flags ...string) *site {
	t.Helper()
	s := &site{start(t, flags...), newAccount(t), map[string]string{}}
	s.add(clusterName, s.url, s.ca, nil)
	return s
}

// through puts the proxy between the cleaner and the cluster.
func (s *site) through(p *proxy) {
	s.Helper()
	s.add(clusterName, s.proxy(p), s.ca, nil)
}

// push stores images that are 40 days old. Each is REPOSITORY:TAG, which is its name. An
// image that has its tag already loses it, and keeps its name.
func (s *site) push(names ...string) (digests []string) {
	for _, name := range names {
		repository, tag, _ := strings.Cut(name, ":")
		s.registry.CreateRepository(repository)
		digest := s.registry.Put(repository, fakeecr.Image{PushedAt: time.Now().AddDate(0, 0, -40), Tags: []string{tag}})
		s.names[digest] = name
		digests = append(digests, digest)
	}
	return digests
}

// untagged stores an image without a tag and returns its digest.
func (s *site) untagged(name string) string {
	repository, tag, _ := strings.Cut(name, ":")
	digest := s.push(name)[0]
	s.registry.Untag(repository, tag)
	return digest
}

// wantLeft checks the names of all images in the registry.
func (s *site) wantLeft(want ...string) {
	s.Helper()
	left := []string{}
	seen := map[string]bool{}
	for _, name := range s.names {
		repository, _, _ := strings.Cut(name, ":")
		if seen[repository] {
			continue
		}
		seen[repository] = true
		for _, im := range s.registry.Images(repository) {
			left = append(left, s.names[im.Digest])
		}
	}
	slices.Sort(left)
	slices.Sort(want)
	if !slices.Equal(left, want) {
		s.Errorf("the images %v are left, want %v", left, want)
	}
}

// A report has the members of a report that the tests read.
type report struct {
	Incomplete   bool
	Totals       struct{ Evaluated, Deleted, Protected int }
	InUse        map[string]int
	Findings     []struct{ Kind, Message string }
	Repositories []struct {
		Name, Skipped, Message string
		Images                 []struct {
			ImageDigest string
			ProtectedBy []struct{ Kind, By string }
		}
	}
}

// configuration returns a configuration that deletes every image that is not in use. The
// members of protect are added to it.
func configuration(protect string) string {
	return `{"protect": {"tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0, ` + protect + `},
		"policies": [{"name": "all", "policy": {"rules": [{"rulePriority": 1, "action": {"type": "expire"},
		"selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}}]}}]}`
}

const eks = `"inUse": ["eks"]`

// environment returns the environment variables of a program with a role's access key.
func (s *site) environment(key string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.TempDir(), "AWS_ENDPOINT_URL=" + s.endpoint, "AWS_REGION=" + awstest.Region,
		"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// tool runs the command-line tool and checks its exit status.
func (s *site) tool(key string, status int, args ...string) (stdout []byte, process *os.ProcessState) {
	s.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(s.Context(), filepath.Join(programs, "ecrclean"), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.environment(key), &out, &errs
	_ = cmd.Run() // the status says it
	if got := cmd.ProcessState.ExitCode(); got != status {
		s.Fatalf("ecrclean %v ended with %d, want %d\n%s%s", args, got, status, &errs, &out)
	}
	return out.Bytes(), cmd.ProcessState
}

// apply applies the configuration as the role of the cleaner, and completely.
func (s *site) apply(protect string) report {
	s.Helper()
	return s.applyAs(cleanerKey, 0, protect)
}

func (s *site) applyAs(key string, status int, protect string) (r report) {
	s.Helper()
	out, _ := s.tool(key, status, "apply", "--yes", "--output", "json", "--config", configuration(protect))
	awstest.NoError(s, json.Unmarshal(out, &r))
	return r
}

// wantFailure applies the configuration and checks that the source fails with these words,
// and that nothing is deleted.
func (s *site) wantFailure(key, protect string, words ...string) {
	s.Helper()
	r := s.applyAs(key, 3, protect)
	awstest.Equal(s, "deleted images", 0, r.Totals.Deleted)
	for _, f := range r.Findings {
		if f.Kind == "inUseScanFailed" {
			s.Log(f.Message)
			awstest.Contains(s, f.Message, words...)
			return
		}
	}
	s.Errorf("the findings %v have no inUseScanFailed", r.Findings)
}

// wantFinding checks that the report has one finding of this kind about the cluster, with
// these words.
func (s *site) wantFinding(r report, kind string, words ...string) {
	s.Helper()
	var messages []string
	for _, f := range r.Findings {
		if f.Kind == kind && strings.HasPrefix(f.Message, "EKS cluster prod: ") {
			messages = append(messages, f.Message)
		}
	}
	if len(messages) != 1 {
		s.Fatalf("%d findings %s, want 1: %v", len(messages), kind, r.Findings)
	}
	s.Log(messages[0])
	awstest.Contains(s, messages[0], words...)
}
