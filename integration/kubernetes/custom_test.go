package kubernetes_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// definition returns the definition of namespaced custom resources of version v1, which
// accept any fields.
func definition(group, plural, kind string) object {
	return object{
		"metadata": object{"name": plural + "." + group},
		"spec": object{
			"group": group, "scope": "Namespaced", "names": object{"plural": plural, "kind": kind},
			"versions": []object{version("v1", true)},
		},
	}
}

func version(name string, storage bool) object {
	return object{"name": name, "served": true, "storage": storage, "schema": object{
		"openAPIV3Schema": object{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
	}}
}

// define creates the definitions, and waits until their objects can be listed and discovery
// lists their kinds.
func (c *cluster) define(definitions ...object) {
	c.Helper()
	for _, o := range definitions {
		c.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", o)
	}
	for _, o := range definitions {
		spec := o["spec"].(object)
		group, plural := spec["group"].(string), spec["names"].(object)["plural"].(string)
		c.until(plural+" are served", func() bool { return c.get("/apis/"+group+"/v1/"+plural).status == http.StatusOK })
		c.until(plural+" are discovered", func() bool {
			const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
			a := c.send(http.MethodGet, "/apis", http.Header{"Accept": {accept}}, nil)
			return bytes.Contains(a.body, []byte(`"resource":"`+plural+`"`))
		})
	}
}

// custom creates a custom resource with these fields in the namespace prod.
func (c *cluster) custom(group, plural, kind, name string, fields object) {
	c.Helper()
	o := object{"apiVersion": group + "/v1", "kind": kind, "metadata": object{"name": name}}
	maps.Copy(o, fields)
	c.create("/apis/"+group+"/v1/namespaces/prod/"+plural, o)
}

// defineThings defines things.example.com, which are stored as v1 and which the webhook with
// this URL converts to v2, and creates one.
func (c *cluster) defineThings(webhook string) {
	c.Helper()
	o := definition("example.com", "things", "Thing")
	spec := o["spec"].(object)
	spec["versions"] = []object{version("v1", true), version("v2", false)}
	spec["conversion"] = object{"strategy": "Webhook", "webhook": object{
		"conversionReviewVersions": []string{"v1"}, "clientConfig": object{"url": webhook, "caBundle": c.ca.PEM()},
	}}
	c.define(o)
	c.custom("example.com", "things", "Thing", "a", nil)
}

// deadWebhook is a URL at which nothing listens.
const deadWebhook = "https://127.0.0.1:9/convert"

// aggregate registers a version of an API group whose server does not exist.
func (c *cluster) aggregate(group, version string) {
	c.Helper()
	c.create("/apis/apiregistration.k8s.io/v1/apiservices", object{
		"metadata": object{"name": version + "." + group},
		"spec": object{
			"group": group, "version": version, "service": object{"name": "none", "namespace": "prod"},
			"groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
		},
	})
	// A server that still installs its paths answers 503 too, with a Status in JSON.
	c.until("the group is known", func() bool {
		a := c.get("/apis/" + group + "/" + version)
		return a.status == http.StatusServiceUnavailable && string(a.body) == "service unavailable\n"
	})
}

// occupy lists things whose conversion does not end before release is called, until the API
// server, which serves one request at a time, throttles the cleaner. It serves an administrator
// even so: a list that begins during another request does not count.
func (c *cluster) occupy() (release func()) {
	c.Helper()
	released := make(chan struct{})
	webhook := c.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-released
		convert(w, r)
	}))
	c.defineThings(webhook.URL)
	var lists []chan answer
	c.until("a list occupies the API server", func() bool {
		if c.call(http.MethodGet, pods, token(c.T, clusterName, cleanerKey, secret), nil).status == http.StatusTooManyRequests {
			return true
		}
		listed := make(chan answer, 1)
		go func() { listed <- c.get("/apis/example.com/v2/things") }()
		lists = append(lists, listed)
		return false
	})
	return sync.OnceFunc(func() {
		close(released)
		for _, listed := range lists {
			awstest.Equal(c, "status of the list", http.StatusOK, (<-listed).status)
		}
	})
}

// serve starts a server with a certificate of the cluster's authority.
func (c *cluster) serve(handler http.Handler) *httptest.Server {
	c.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{c.ca.server(c.T)}}
	server.EnableHTTP2 = true
	server.StartTLS()
	c.Cleanup(server.Close)
	return server
}

// convert answers a ConversionReview.
func convert(w http.ResponseWriter, r *http.Request) {
	var review struct {
		APIVersion, Kind string
		Request          struct {
			UID, DesiredAPIVersion string
			Objects                []object
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, o := range review.Request.Objects {
		o["apiVersion"] = review.Request.DesiredAPIVersion
	}
	_ = json.NewEncoder(w).Encode(object{
		"apiVersion": review.APIVersion, "kind": review.Kind, "response": object{
			"uid": review.Request.UID, "convertedObjects": review.Request.Objects, "result": object{"status": "Success"},
		},
	})
}
