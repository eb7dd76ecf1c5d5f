package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// An answer is an answer of an API server.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get sends a request of the administrator.
func (c *cluster) get(path string) answer {
	c.Helper()
	return c.call(http.MethodGet, path, adminToken, nil)
}

// call sends a request with a token. A body that is not nil is sent as JSON.
func (c *cluster) call(method, path, token string, body any) answer {
	c.Helper()
	mediaType := "application/json"
	if method == http.MethodPatch {
		mediaType = "application/merge-patch+json"
	}
	var text []byte
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		awstest.NoError(c, err)
	}
	return c.send(method, path, http.Header{"Content-Type": {mediaType}, "Authorization": {"Bearer " + token}}, text)
}

// send sends a request with this header, as the administrator unless the header has a token.
func (c *cluster) send(method, path string, header http.Header, body []byte) answer {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.url+path, bytes.NewReader(body))
	awstest.NoError(c, err)
	r.Header.Set("Authorization", "Bearer "+adminToken)
	maps.Copy(r.Header, header)
	response, err := c.client.Do(r)
	awstest.NoError(c, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	awstest.NoError(c, err)
	return answer{response.StatusCode, response.Header, content}
}

// create creates an object in the collection with this path. If it has a status, the status
// is written too, as the controllers of a cluster do.
func (c *cluster) create(collection string, o object) {
	c.Helper()
	c.must(http.MethodPost, collection, o)
	if status, found := o["status"]; found {
		name := o["metadata"].(object)["name"].(string)
		c.must(http.MethodPatch, collection+"/"+name+"/status", object{"status": status})
	}
}

// remove deletes an object at once.
func (c *cluster) remove(path string) {
	c.Helper()
	c.must(http.MethodDelete, path, object{"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
}

func (c *cluster) must(method, path string, o object) {
	c.Helper()
	if a := c.call(method, path, adminToken, o); a.status >= http.StatusMultipleChoices {
		c.Fatalf("%s %s: status %d\n%s", method, path, a.status, a.body)
	}
}

// allow creates a ClusterRole, binds it to the group of the cleaner and waits until it is
// in force. A rule is "API group: resources", whose objects the group may list.
func (c *cluster) allow(rules ...string) {
	c.Helper()
	var list []object
	for _, rule := range rules {
		group, resources, _ := strings.Cut(rule, ": ")
		list = append(list, object{"apiGroups": []string{group}, "resources": strings.Fields(resources), "verbs": []string{"list"}})
	}
	const collection = "/apis/rbac.authorization.k8s.io/v1/clusterrole"
	role := object{"metadata": object{"generateName": "ecr-cleaner-"}, "rules": list}
	var created struct{ Metadata struct{ Name string } }
	awstest.NoError(c, json.Unmarshal(c.call(http.MethodPost, collection+"s", adminToken, role).body, &created))
	c.create(collection+"bindings", object{
		"metadata": object{"name": created.Metadata.Name},
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": created.Metadata.Name},
		"subjects": []object{{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": cleanerGroup}},
	})
	for _, rule := range rules {
		group, resources, _ := strings.Cut(rule, ": ")
		for resource := range strings.FieldsSeq(resources) {
			c.until("the role is in force", func() bool { return c.allowed(group, resource) })
		}
	}
}

// applyRole creates a ClusterRole and its binding from manifests with both, and waits until
// they are in force.
func (c *cluster) applyRole(manifests string) {
	c.Helper()
	for manifest := range strings.SplitSeq(manifests, "---\n") {
		collection := "/apis/rbac.authorization.k8s.io/v1/clusterroles"
		if strings.Contains(manifest, "kind: ClusterRoleBinding\n") {
			collection = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
		}
		a := c.send(http.MethodPost, collection, http.Header{"Content-Type": {"application/yaml"}}, []byte(manifest))
		awstest.Equal(c, "status of "+collection, http.StatusCreated, a.status)
	}
	c.until("the role is in force", func() bool { return c.allowed("", "pods") })
}

// allowed reports whether the cleaner may list a resource in all namespaces.
func (c *cluster) allowed(group, resource string) bool {
	c.Helper()
	a := c.call(http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", adminToken, object{"spec": object{
		"user": cleanerUser, "groups": []string{cleanerGroup},
		"resourceAttributes": object{"group": group, "resource": resource, "verb": "list"},
	}})
	var review struct{ Status struct{ Allowed bool } }
	awstest.NoError(c, json.Unmarshal(a.body, &review))
	return review.Status.Allowed
}
