package kubernetes_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// An account is an AWS account with a registry and clusters. It answers all services at one
// URL.
type account struct {
	endpoint string
	registry *fakeecr.Server
	clusters map[string]object // as DescribeCluster answers; complete before a scan begins
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{registry: fakeecr.New(), clusters: map[string]object{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.endpoint = server.URL
	return a
}

// add adds a cluster whose API server has this URL and authority. More fields override.
func (a *account) add(name, url string, ca authority, more object) {
	cluster := object{
		"name": name, "arn": "arn:aws:eks:" + inusetest.Region + ":123456789012:cluster/" + name,
		"status": "ACTIVE", "version": "1.37", "endpoint": url,
		"certificateAuthority": object{"data": base64.StdEncoding.EncodeToString(ca.PEM())},
		"accessConfig":         object{"authenticationMode": "API"},
		"resourcesVpcConfig":   object{"endpointPublicAccess": true, "endpointPrivateAccess": false},
	}
	maps.Copy(cluster, more)
	a.clusters[name] = cluster
}

// ServeHTTP answers ListClusters and DescribeCluster of EKS, and the calls of ECR and STS.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, found := strings.CutPrefix(r.URL.Path, "/clusters")
	if !found {
		a.registry.ServeHTTP(w, r)
		return
	}
	name := strings.TrimPrefix(path, "/")
	if name == "" {
		inusetest.Answer(w, http.StatusOK, object{"clusters": slices.Sorted(maps.Keys(a.clusters))})
		return
	}
	cluster, found := a.clusters[name]
	if !found {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		inusetest.Answer(w, http.StatusNotFound, object{"message": "No cluster found for name: " + name + "."})
		return
	}
	inusetest.Answer(w, http.StatusOK, object{"cluster": cluster})
}
