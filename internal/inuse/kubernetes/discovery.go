package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// An apiGroup is an API group with its versions, the preferred one first. A server that
// does not know the aggregated form leaves out the resources.
// https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
type apiGroup struct {
	Name     string
	Metadata struct{ Name string }
	Versions []struct {
		Version   string
		Freshness string // Stale if the server of the group did not answer
		Resources []apiResource
	}
}

type apiResource struct {
	Resource, Name string // the plural; Name without aggregation
	Kind           string // without aggregation
	ResponseKind   struct{ Kind string }
	Verbs          []string
}

// aggregated are the media types of the aggregated form, in the Accept header.
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"

// discover returns the kinds of custom resources that can be listed. Down are the API groups
// whose kinds are not known, because their server did not answer.
func (s *scan) discover(ctx context.Context) (kinds []resource, down []string, err error) {
	var groups []apiGroup
	p, err := s.read(ctx, request{path: "apis", accept: aggregated}, func() { groups = nil }, func(text []byte) error {
		var g apiGroup
		err := json.Unmarshal(text, &g)
		if g.Name = cmp.Or(g.Name, g.Metadata.Name); !isBuiltIn(g.Name) {
			groups = append(groups, g)
		}
		return err
	})
	if err == nil && p.kind != "APIGroupDiscoveryList" && p.kind != "APIGroupList" {
		err = fmt.Errorf("the answer is a %.80q", p.kind)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the API groups: %w", err)
	}
	for _, g := range groups {
		listed := map[string]bool{}
		for _, v := range g.Versions {
			stale := v.Freshness != "" && v.Freshness != "Current"
			if p.kind == "APIGroupList" {
				if v.Resources, stale, err = s.resources(ctx, g.Name, v.Version); err != nil {
					return nil, nil, err
				}
			}
			if stale {
				down = append(down, g.Name)
			}
			for _, r := range v.Resources {
				plural := cmp.Or(r.Resource, r.Name)
				if listed[plural] || strings.Contains(plural, "/") || !slices.Contains(r.Verbs, "list") {
					continue
				}
				listed[plural] = true
				kinds = append(kinds, resource{g.Name, v.Version, plural, cmp.Or(r.ResponseKind.Kind, r.Kind)})
			}
		}
	}
	return kinds, slices.Compact(down), nil
}

// resources returns the kinds in a version of a group, and whether its server is down.
func (s *scan) resources(ctx context.Context, group, version string) (found []apiResource, down bool, err error) {
	path := "apis/" + group + "/" + version
	_, err = s.read(ctx, request{path: path}, func() { found = nil }, func(text []byte) error {
		var r apiResource
		err := json.Unmarshal(text, &r)
		found = append(found, r)
		return err
	})
	answer, isAnswer := asStatus(err)
	switch {
	case isAnswer && answer.code == http.StatusNotFound: // deleted after the groups were listed
		return nil, false, nil
	case isAnswer && answer.code >= http.StatusInternalServerError:
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("list the kinds of %s: %w", path, err)
	}
	return found, false, nil
}

// builtInGroups are the groups of kube-apiserver whose names have a dot. The group of a
// custom resource always has one.
var builtInGroups = []string{
	"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
	"authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
	"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io",
	"rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
}

// isBuiltIn reports whether the group is one of kube-apiserver, or has measurements only.
func isBuiltIn(group string) bool {
	return !strings.Contains(group, ".") || slices.Contains(builtInGroups, group) ||
		group == "metrics.k8s.io" || strings.HasSuffix(group, ".metrics.k8s.io")
}

// rules are the rights of the cleaner. They are incomplete if an authorizer cannot list
// its rules, such as the one of EKS access policies.
// https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-rules-review-v1/
type rules struct {
	Incomplete    bool
	ResourceRules []struct{ Verbs, APIGroups, Resources, ResourceNames []string }
}

// ownRules asks for the rights in one namespace. Those in all namespaces are among them.
func (s *scan) ownRules(ctx context.Context) (rules, error) {
	const review = `{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "default"}}`
	var answer struct{ Status rules }
	err := s.do(ctx, request{path: "apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body: review}, func(body io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(body, maxItem)).Decode(&answer); err != nil {
			return brokenError{fmt.Errorf("read the answer: %w", err)}
		}
		return nil
	})
	if err != nil {
		return rules{}, fmt.Errorf("ask for the rights of the cleaner with a SelfSubjectRulesReview: %w", err)
	}
	return answer.Status, nil
}

// mayList reports whether a rule allows listing the plural in the group. The plural "" is
// any in the group.
func (r rules) mayList(group, plural string) bool {
	for _, rule := range r.ResourceRules {
		if len(rule.ResourceNames) == 0 && has(rule.Verbs, "list") && has(rule.APIGroups, group) && (plural == "" || has(rule.Resources, plural)) {
			return true
		}
	}
	return false
}

func has(list []string, value string) bool {
	return slices.Contains(list, value) || slices.Contains(list, "*")
}
