package kubernetes_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
)

// The file has the role, and in comments the rules for the known custom resources.
func TestTheFileHasTheRole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../deploy/kubernetes/cluster-role.yaml")
	awstest.NoError(t, err)
	var builtIn, all []string
	for line := range strings.Lines(string(text)) {
		rule, isRule := strings.CutPrefix(line, "#- ")
		if strings.HasPrefix(line, "#  ") {
			rule, isRule = line[1:], true
		} else if isRule {
			rule = "- " + rule
		}
		switch {
		case isRule:
			all = append(all, rule)
		case !strings.HasPrefix(line, "#"):
			builtIn, all = append(builtIn, line), append(all, line)
		}
	}
	want, err := kubernetes.RoleYAML(nil)
	awstest.NoError(t, err)
	awstest.Equal(t, "the file without comments", want, strings.Join(builtIn, ""))
	want, err = kubernetes.RoleYAML(kubernetes.KnownResources())
	awstest.NoError(t, err)
	sorted := func(text string) []string { return slices.Sorted(strings.Lines(text)) }
	awstest.Equal(t, "the lines of the file with all rules", sorted(want), sorted(strings.Join(all, "")))
}

func TestTheRoleAllowsListingOnly(t *testing.T) {
	t.Parallel()
	text, err := kubernetes.RoleYAML([]string{"tasks.tekton.dev", "rollouts.argoproj.io", "workflows.argoproj.io", "tasks.tekton.dev"})
	awstest.NoError(t, err)
	awstest.Contains(t, text, "- apiGroups: [argoproj.io]\n  resources: [rollouts, workflows]\n  verbs: [list]\n",
		"- apiGroups: [tekton.dev]\n  resources: [tasks]\n  verbs: [list]\n---\n")
	for line := range strings.Lines(text) {
		if verbs, isVerbs := strings.CutPrefix(line, "  verbs: "); isVerbs && verbs != "[list]\n" {
			t.Errorf("verbs %s", verbs)
		}
	}
	for _, word := range []string{"*", "secrets", "configmaps"} {
		if strings.Contains(text, word) {
			t.Errorf("the role has %s", word)
		}
	}
}

func TestTheRoleHasCustomResourcesOnly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "secrets", "*", "*.argoproj.io", "rollouts.*", "secrets.", "rollouts.argoproj", "deployments.apps",
		"roles.rbac.authorization.k8s.io", "a.b.c]", "Rollouts.argoproj.io", "pods/log.example.com", ".example.com",
	} {
		if text, err := kubernetes.RoleYAML([]string{name}); err == nil {
			t.Errorf("%q: got no error and %s", name, text)
		}
	}
}
