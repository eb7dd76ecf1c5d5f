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
	Versions []apiVersion
}

type apiVersion struct {
	Version   string
	Freshness string // Current, or empty without aggregation; Stale if the server of the group did not answer
	Resources []apiResource
}

func (v apiVersion) isDown() bool { return v.Freshness != "" && v.Freshness != "Current" }

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
		if p.kind == "APIGroupList" {
			if err := s.readResources(ctx, g); err != nil {
				return nil, nil, err
			}
		}
		kinds = append(kinds, g.kinds()...)
		if slices.ContainsFunc(g.Versions, apiVersion.isDown) {
			down = append(down, g.Name)
		}
	}
	return kinds, down, nil
}

// readResources reads the resources of each version of a group into the group.
func (s *scan) readResources(ctx context.Context, g apiGroup) error {
	for i := range g.Versions {
		v := &g.Versions[i]
		path := "apis/" + g.Name + "/" + v.Version
		_, err := s.read(ctx, request{path: path}, func() { v.Resources = nil }, func(text []byte) error {
			var r apiResource
			err := json.Unmarshal(text, &r)
			v.Resources = append(v.Resources, r)
			return err
		})
		answer, isAnswer := asStatus(err)
		switch {
		case err == nil, isAnswer && answer.code == http.StatusNotFound: // deleted since
		case isAnswer && answer.code >= http.StatusInternalServerError:
			v.Freshness = "Stale"
		default:
			return fmt.Errorf("list the kinds of %s: %w", path, err)
		}
	}
	return nil
}

// kinds returns the kinds of the group that can be listed, each in the first version that
// has it. All versions have the same objects.
func (g apiGroup) kinds() (kinds []resource) {
	seen := map[string]bool{}
	for _, v := range g.Versions {
		for _, r := range v.Resources {
			plural := cmp.Or(r.Resource, r.Name)
			isSubresource := strings.Contains(plural, "/")
			if !seen[plural] && !isSubresource && slices.Contains(r.Verbs, "list") {
				seen[plural] = true
				kinds = append(kinds, resource{g.Name, v.Version, plural, cmp.Or(r.ResponseKind.Kind, r.Kind)})
			}
		}
	}
	return kinds
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
