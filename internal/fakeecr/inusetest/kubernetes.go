package inusetest

import (
	"crypto/tls"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
)

// A Kubernetes plays the API server of a cluster with one pod. It accepts every client.
type Kubernetes struct {
	*httptest.Server
	Image  string // of the pod
	Status int    // of every answer, unless it is 0

	mu     sync.Mutex
	token  string
	client string
}

// NewKubernetes starts an API server, which ends with the test.
func NewKubernetes(t *testing.T, image string) *Kubernetes {
	t.Helper()
	k := StartKubernetes(image)
	t.Cleanup(k.Close)
	return k
}

// StartKubernetes starts an API server. The caller closes it.
func StartKubernetes(image string) *Kubernetes {
	k := &Kubernetes{Image: image}
	k.Server = httptest.NewUnstartedServer(k)
	k.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	k.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // it reports clients that do not trust it
	k.StartTLS()
	return k
}

// Authority returns the certificate authority in PEM.
func (k *Kubernetes) Authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate().Raw})
}

// Client returns the token of the last request and the common name in its client
// certificate. Without them, they are empty.
func (k *Kubernetes) Client() (token, certificate string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.token, k.client
}

// ServeHTTP implements [http.Handler].
func (k *Kubernetes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.note(r)
	if k.Status != 0 {
		Answer(w, k.Status, Object{"kind": "Status", "message": "no"})
		return
	}
	prefix, plural := path.Split(r.URL.Path)
	version := strings.TrimPrefix(strings.TrimPrefix(strings.Trim(prefix, "/"), "apis/"), "api/")
	switch plural {
	case "apis":
		Answer(w, http.StatusOK, Object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []Object{}})
	case "selfsubjectrulesreviews":
		Answer(w, http.StatusCreated, Object{"status": Object{"resourceRules": []Object{}}})
	case "pods":
		Answer(w, http.StatusOK, list("PodList", version, Object{
			"metadata": Object{"name": "app", "namespace": "default"},
			"spec":     Object{"containers": []Object{{"name": "main", "image": k.Image}}},
		}))
	default:
		Answer(w, http.StatusOK, list(kinds[plural]+"List", version))
	}
}

func (k *Kubernetes) note(r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, k.token, _ = strings.Cut(r.Header.Get("Authorization"), " ") // after the scheme
	k.client = ""
	if len(r.TLS.PeerCertificates) > 0 {
		k.client = r.TLS.PeerCertificates[0].Subject.CommonName
	}
}

func list(kind, version string, items ...Object) Object {
	return Object{"kind": kind, "apiVersion": version, "metadata": Object{}, "items": append([]Object{}, items...)}
}

var kinds = map[string]string{
	"cronjobs": "CronJob", "jobs": "Job", "deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet",
	"controllerrevisions": "ControllerRevision", "replicasets": "ReplicaSet", "replicationcontrollers": "ReplicationController",
	"podtemplates": "PodTemplate",
}
