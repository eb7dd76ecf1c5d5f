package eks_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/eks"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

type object = inusetest.Object

// A fakeEKS plays EKS and STS.
type fakeEKS struct {
	inusetest.Recorder
	names    []string          // as ListClusters lists them
	clusters map[string]object // as DescribeCluster describes them
	page     int               // names on a page; 0 is all
	faults   map[string]fault  // by operation
	answers  map[string]object // by operation, instead of the true answer
	caller   string            // the ARN for STS; "" is a fault
}

// A fault is an answer that is an error.
type fault struct {
	status int
	code   string
}

// source returns the source for the clusters that match a pattern, or for all without one.
func (f *fakeEKS) source(t *testing.T, patterns ...string) inuse.Source {
	t.Helper()
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	return newSource(inusetest.Config(t, f), patterns...)
}

func newSource(cfg aws.Config, patterns ...string) inuse.Source {
	var settings config.Protect
	for _, p := range patterns {
		settings.EKSClusters = append(settings.EKSClusters, wildcard.Compile(p))
	}
	return eks.New(query.Environment{AWS: cfg, Settings: settings, Clock: awstest.Clock})
}

func (f *fakeEKS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		f.identity(w)
		return
	}
	name, _ := strings.CutPrefix(r.URL.Path, "/clusters/")
	operation := "DescribeCluster"
	if r.URL.Path == "/clusters" {
		operation = "ListClusters"
	}
	defer f.Begin(operation)()
	w.Header().Set("Content-Type", "application/json")
	if fault, ok := f.faults[operation]; ok {
		refuse(w, fault)
		return
	}
	if answer, ok := f.answers[operation]; ok {
		inusetest.Answer(w, http.StatusOK, answer)
		return
	}
	if operation == "ListClusters" {
		inusetest.Answer(w, http.StatusOK, f.list(r.URL.Query().Get("nextToken")))
		return
	}
	cluster, ok := f.clusters[name]
	if !ok {
		refuse(w, fault{http.StatusNotFound, "ResourceNotFoundException"})
		return
	}
	inusetest.Answer(w, http.StatusOK, object{"cluster": cluster})
}

func (f *fakeEKS) list(token string) object {
	start, _ := strconv.Atoi(token)
	end := len(f.names)
	if f.page > 0 {
		end = min(start+f.page, end)
	}
	out := object{"clusters": append([]string{}, f.names[start:end]...)}
	if end < len(f.names) {
		out["nextToken"] = strconv.Itoa(end)
	}
	return out
}

// identity answers GetCallerIdentity.
func (f *fakeEKS) identity(w http.ResponseWriter) {
	if f.caller == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>%s</Arn>`+
		`<UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, f.caller)
}

func refuse(w http.ResponseWriter, f fault) {
	w.Header().Set("X-Amzn-Errortype", f.code)
	inusetest.Answer(w, f.status, object{"message": "no"})
}

// add adds a cluster with that API server.
func (f *fakeEKS) add(name string, api *inusetest.Kubernetes) object {
	f.names = append(f.names, name)
	if f.clusters == nil {
		f.clusters = map[string]object{}
	}
	f.clusters[name] = object{
		"name": name, "status": "ACTIVE", "endpoint": api.URL, "certificateAuthority": object{"data": base64.StdEncoding.EncodeToString(api.Authority())},
		"accessConfig": object{"authenticationMode": "API"}, "resourcesVpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": []string{"0.0.0.0/0"}},
	}
	return f.clusters[name]
}

// otherAuthority returns a certificate authority that has signed no server's certificate.
func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	awstest.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	awstest.NoError(t, err)
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
