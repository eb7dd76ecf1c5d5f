package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// RoleYAML returns the manifests of a ClusterRole and of its ClusterRoleBinding to the group
// ecr-cleaner. The role allows listing the built-in kinds and the given kinds of custom
// resources, and nothing else. A kind is PLURAL.GROUP, such as rollouts.argoproj.io; any
// other text is an error.
func RoleYAML(custom []string) (string, error) {
	groups := map[string][]string{}
	for _, r := range builtIns {
		groups[r.group] = append(groups[r.group], r.plural)
	}
	for _, name := range custom {
		plural, group, _ := strings.Cut(name, ".")
		if plural == "" || isBuiltIn(group) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			return "", fmt.Errorf("%q is not the name of a kind of custom resources, such as rollouts.argoproj.io", name)
		}
		groups[group] = append(groups[group], plural)
	}
	var rules strings.Builder
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		quoted := group
		if group == "" {
			quoted = `""`
		}
		plurals := slices.Compact(slices.Sorted(slices.Values(groups[group])))
		fmt.Fprintf(&rules, "- apiGroups: [%s]\n  resources: [%s]\n  verbs: [list]\n", quoted, strings.Join(plurals, ", "))
	}
	return fmt.Sprintf(roleTemplate, rules.String()), nil
}

const roleTemplate = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: ecr-cleaner
rules:
%s---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: ecr-cleaner
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: ecr-cleaner
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: ecr-cleaner
`
