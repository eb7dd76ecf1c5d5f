package kubeconfig_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/kubeconfig"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

type object = inusetest.Object

// file is a kubeconfig with one context, whose name is also that of its cluster and its user.
func file(name string, cluster, user object) object {
	return object{
		"apiVersion": "v1", "kind": "Config", "current-context": name,
		"contexts": []object{{"name": name, "context": object{"cluster": name, "user": name}}},
		"clusters": []object{{"name": name, "cluster": cluster}},
		"users":    []object{{"name": name, "user": user}},
	}
}

// save writes a file and returns its path.
func save(t *testing.T, name string, text []byte) string {
	t.Helper()
	awstest.NoError(t, os.WriteFile(name, text, 0o600))
	return name
}

func saveJSON(t *testing.T, name string, value object) string {
	t.Helper()
	text, err := json.Marshal(value)
	awstest.NoError(t, err)
	return save(t, name, text)
}

func clusterOf(api *inusetest.Kubernetes) object {
	return object{"server": api.URL, "certificate-authority-data": api.Authority()}
}

func source(path string, contexts ...string) kubeconfig.Source {
	return kubeconfig.Source{Environment: query.Environment{Clock: awstest.Clock, Settings: config.Protect{
		Kubeconfig: &config.Kubeconfig{Path: path, Contexts: contexts}, EKSResources: []wildcard.Pattern{wildcard.Compile("*")},
	}}}
}

// pod is the use of the image by the pod of a fake cluster in that context.
func pod(image, context string) string { return image + " pod default/app (context " + context + ")" }

// clientCertificate returns a certificate for me and its key, in PEM.
func clientCertificate(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	awstest.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "me"}, NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	awstest.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	awstest.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func TestTheSourceLogsInAsTheUserOfTheContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key := clientCertificate(t)
	save(t, filepath.Join(dir, "me.crt"), certificate)
	save(t, filepath.Join(dir, "me.key"), key)
	save(t, filepath.Join(dir, "me.token"), []byte("from a file\n"))
	const credential = `{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "from a program"}}`
	for name, test := range map[string]struct {
		user               object
		token, certificate string
	}{
		"token":                   {object{"token": "secret"}, "secret", ""},
		"token file":              {object{"tokenFile": "me.token"}, "from a file", ""},
		"client certificate":      {object{"client-certificate-data": certificate, "client-key-data": key}, "", "me"},
		"client certificate file": {object{"client-certificate": "me.crt", "client-key": "me.key"}, "", "me"},
		"program": {object{"exec": object{
			"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": []string{credential}, "interactiveMode": "IfAvailable",
		}}, "from a program", ""},
		"none": {object{}, "", ""},
	} {
		api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
		s := source(saveJSON(t, filepath.Join(dir, name), file("prod", clusterOf(api), test.user)))
		s.AllowExec = true
		inusetest.WantUses(t, s, pod("app:v1", "prod"))
		token, certificate := api.Client()
		awstest.Equal(t, name+": token", test.token, token)
		awstest.Equal(t, name+": certificate", test.certificate, certificate)
	}
}

// A program may ask for a password or use the network, and comes with the file.
func TestProgramsAreNotRunUnlessAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ran := filepath.Join(dir, "ran")
	api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	s := source(saveJSON(t, filepath.Join(dir, "config"), file("prod", clusterOf(api), object{"exec": object{
		"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": []string{ran}, "interactiveMode": "Never",
	}})))
	inusetest.WantFailure(t, s, `context prod: its user logs in with the program "touch"; allow it with --allow-exec`)
	if _, err := os.Stat(ran); err == nil {
		t.Error("the program has run")
	}
	s.AllowExec = true
	inusetest.WantFailure(t, s, "context prod: ", "exec plugin")
	if _, err := os.Stat(ran); err != nil {
		t.Error("the program has not run")
	}
}

func TestContextsAreThoseOfTheSettings(t *testing.T) {
	t.Parallel()
	one, two := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"), inusetest.NewKubernetes(t, inusetest.Registry+"app:v2")
	both := file("one", clusterOf(one), object{})
	other := file("two", clusterOf(two), object{})
	for _, key := range []string{"contexts", "clusters", "users"} {
		both[key] = append(both[key].([]object), other[key].([]object)...)
	}
	name := saveJSON(t, filepath.Join(t.TempDir(), "config"), both)
	inusetest.WantUses(t, source(name), pod("app:v1", "one"))
	inusetest.WantUses(t, source(name, "two"), pod("app:v2", "two"))
	inusetest.WantUses(t, source(name, "two", "one"), pod("app:v1", "one"), pod("app:v2", "two"))
	inusetest.WantFailure(t, source(name, "three", "one"), "context three: the kubeconfig has no such context; correct protect.kubeconfig.contexts")
	both["contexts"] = append(both["contexts"].([]object), object{"name": "three", "context": object{"cluster": "gone", "user": "one"}})
	name = saveJSON(t, filepath.Join(t.TempDir(), "config"), both)
	inusetest.WantFailure(t, source(name, "three"), "context three: invalid configuration: ", "; correct the kubeconfig")
	delete(both, "current-context")
	name = saveJSON(t, filepath.Join(t.TempDir(), "config"), both)
	inusetest.WantFailure(t, source(name), "has no current context; name its contexts in protect.kubeconfig.contexts")
}

// Without a path, the files are those that kubectl reads. The first one to say something wins.
func TestFilesAreMerged(t *testing.T) {
	one, two := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"), inusetest.NewKubernetes(t, inusetest.Registry+"app:v2")
	dir := t.TempDir()
	first := saveJSON(t, filepath.Join(dir, "first"), file("one", clusterOf(one), object{}))
	second := saveJSON(t, filepath.Join(dir, "second"), file("two", clusterOf(two), object{}))
	t.Setenv("KUBECONFIG", first+string(os.PathListSeparator)+second)
	inusetest.WantUses(t, source(""), pod("app:v1", "one"))
	inusetest.WantUses(t, source("", "one", "two"), pod("app:v1", "one"), pod("app:v2", "two"))
	t.Setenv("KUBECONFIG", filepath.Join(dir, "none"))
	inusetest.WantFailure(t, source(""), "there is no kubeconfig with a context")
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inusetest.WantFailure(t, source(filepath.Join(dir, "none")), "load the kubeconfig: ", "no such file", "; correct protect.kubeconfig")
	inusetest.WantFailure(t, source(save(t, filepath.Join(dir, "text"), []byte("a: [b"))), "load the kubeconfig: ")
}

// A connection on which someone could change the answers is refused before it is made.
func TestUnsafeConnectionsAreRefused(t *testing.T) {
	t.Parallel()
	api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	for want, change := range map[string]func(cluster object){
		`the server "http://127.0.0.1" is not an https URL`:         func(c object) { c["server"] = "http://127.0.0.1" },
		`the server "127.0.0.1:6443" is not an https URL`:           func(c object) { c["server"] = "127.0.0.1:6443" },
		"insecure-skip-tls-verify is set":                           func(c object) { c["insecure-skip-tls-verify"] = true; delete(c, "certificate-authority-data") },
		"proxy-url is not supported":                                func(c object) { c["proxy-url"] = "http://127.0.0.1:1" },
		"certificate signed by unknown authority":                   func(c object) { delete(c, "certificate-authority-data") },
		"certificate is valid for example.com, *.example.com, not ": func(c object) { c["tls-server-name"] = "kubernetes.test" },
	} {
		cluster := clusterOf(api)
		change(cluster)
		s := source(saveJSON(t, filepath.Join(t.TempDir(), "config"), file("prod", cluster, object{"token": "secret"})))
		inusetest.WantFailure(t, s, "context prod: ", want)
	}
	token, _ := api.Client()
	awstest.Equal(t, "token that the server got", "", token)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	old := file("prod", clusterOf(inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")), object{"auth-provider": object{"name": "gcp"}})
	inusetest.WantFailure(t, source(saveJSON(t, filepath.Join(t.TempDir(), "config"), old)), `no Auth Provider found for name "gcp"; correct the kubeconfig`)
	for status, want := range map[int]string{
		http.StatusUnauthorized: "; log in again, or correct the user of the context",
		http.StatusForbidden:    "; bind the ClusterRole to its user or group: ecrclean kubernetes-role prints it",
		0:                       "; check the network and the certificate-authority of the cluster, or take the context prod out of protect.kubeconfig and name a list of its images",
	} {
		api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
		api.Status = status
		if status == 0 {
			api.Close()
		}
		s := source(saveJSON(t, filepath.Join(t.TempDir(), "config"), file("prod", clusterOf(api), object{})))
		inusetest.WantFailure(t, s, "context prod: ", want)
	}
}
