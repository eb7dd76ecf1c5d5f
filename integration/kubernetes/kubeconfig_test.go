package kubernetes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// kubeconfig writes a kubeconfig and returns its path. Each user has a context with the same
// name.
func (c *cluster) kubeconfig(users map[string]object) string {
	c.Helper()
	list, contexts := []object{}, []object{}
	for name, user := range users {
		list = append(list, object{"name": name, "user": user})
		contexts = append(contexts, object{"name": name, "context": object{"cluster": "local", "user": name}})
	}
	text, err := json.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "users": list, "contexts": contexts, "current-context": "token",
		"clusters": []object{{"name": "local", "cluster": object{"server": c.url, "certificate-authority-data": c.ca.PEM()}}},
	})
	awstest.NoError(c, err)
	file := filepath.Join(c.TempDir(), "kubeconfig")
	awstest.NoError(c, os.WriteFile(file, text, 0o600))
	return file
}

// users are the users with the rights of the cleaner, by the way they log in, and another.
func (c *cluster) users() map[string]object {
	c.Helper()
	certificate, key := c.ca.client(c.T, "cleaner", cleanerGroup)
	of := token(c.T, clusterName, cleanerKey, secret)
	credential := `{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "` + of + `"}}`
	return map[string]object{
		"token":       {"token": of},
		"certificate": {"client-certificate-data": certificate, "client-key-data": key},
		"program": {"exec": object{
			"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": []string{credential}, "interactiveMode": "Never",
		}},
		"stranger": {"token": "invalid"},
	}
}

func TestAKubeconfig(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	file := s.kubeconfig(s.users())
	setting := func(contexts ...string) string {
		text, err := json.Marshal(object{"path": file, "contexts": contexts})
		awstest.NoError(t, err)
		return `"inUse": [], "kubeconfig": ` + string(text)
	}
	s.wantFailure(cleanerKey, setting("token", "stranger"), "context stranger", "401")
	s.wantFailure(cleanerKey, setting("program"), "--allow-exec")
	s.wantLeft("app:v1", "app:v2")
	for _, contexts := range [][]string{{"token"}, {"certificate"}, {"program"}, {}, {"token", "certificate", "program"}} {
		s.push("app:v2")
		out, _ := s.tool(cleanerKey, 0, "apply", "--yes", "--allow-exec", "--output", "json", "--config", configuration(setting(contexts...)))
		s.wantLeft("app:v1")
		awstest.Contains(t, string(out), "pod prod/p")
	}
}

// The recipe for a cluster that the cleaner cannot query, with the cluster's own kubectl.
func TestTheRecipeWithKubectl(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, o := range owners {
		s.push(name + ":v1")
		s.create(o.collection, o.object(name, name+":v1"))
	}
	s.push("base:v1", "unused:v1")
	file := s.kubeconfig(s.users())
	s.allow(strings.Replace(builtIns[1], " replicasets", "", 1), builtIns[0], builtIns[2])
	list := filepath.Join(t.TempDir(), "list.json")
	if err := s.recipe(file, list); err == nil {
		t.Error("the recipe ends with 0 although a kind may not be listed")
	}
	if _, err := os.Stat(list); err == nil {
		t.Error("the recipe has written a list although a kind may not be listed")
	}
	s.allow("apps: replicasets")
	awstest.NoError(t, s.recipe(file, list))
	s.apply(fmt.Sprintf(`"inUse": [], "references": [%q]`, list))
	kept := []string{"base:v1"}
	for name := range owners {
		kept = append(kept, name+":v1")
	}
	s.wantLeft(kept...)
}

// recipe runs the commands of docs/recipes.md, but copies the list to a file instead of S3.
func (s *site) recipe(kubeconfig, list string) error {
	s.Helper()
	page, err := os.ReadFile("../../docs/recipes.md")
	awstest.NoError(s, err)
	block := regexp.MustCompile("(?s)```sh\n([^`]*kubectl get [^`]*)```").FindSubmatch(page)
	if block == nil {
		s.Fatal("docs/recipes.md has no commands with kubectl get")
	}
	commands := regexp.MustCompile(`aws s3 cp (\S+) \S+`).ReplaceAllString(string(block[1]), "cp $1 "+list)
	cmd := exec.CommandContext(s.Context(), "bash", "-c", commands)
	cmd.Dir = s.TempDir()
	cmd.Env = append(s.environment(cleanerKey), "PATH="+programs+":"+os.Getenv("PATH"), "KUBECONFIG="+kubeconfig)
	out, err := cmd.CombinedOutput()
	s.Logf("%s", out)
	return err
}
