package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

// An eksCluster is the content of the JSON file: the cluster, and the keys that IAM has.
type eksCluster struct {
	Name, Region string
	// AccessKeys has the callers by the ID of their access key.
	AccessKeys map[string]accessKey
	// AccessEntries has the users of the cluster by the ARN of their role.
	AccessEntries map[string]accessEntry
}

type accessKey struct{ Secret, ARN string }

// In UserName, {{SessionName}} is the name of the role's session.
type accessEntry struct {
	UserName string
	Groups   []string
}

func readCluster(file string) (eksCluster, error) {
	var c eksCluster
	text, err := os.ReadFile(file)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// An authenticator is the webhook that authenticates the tokens of an EKS cluster. AWS's own
// verifier, aws-iam-authenticator, checks them.
type authenticator struct {
	verifier token.Verifier
	file     string // read for each token, so that a test can change the access entries
}

// serveTokenReviews starts an authenticator and returns the kubeconfig of the webhook.
func serveTokenReviews(dir, file string) (string, error) {
	c, err := readCluster(file)
	if err != nil {
		return "", err
	}
	// The verifier calls STS with the default transport. Nothing else in this process does.
	http.DefaultTransport = sts{file}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"))
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	a := authenticator{token.NewVerifier(c.Name, "aws", c.Region), file}
	go func() {
		err := http.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}}), a)
		fmt.Fprintln(os.Stderr, "apiserver: the authenticator ended:", err)
	}()
	webhook := filepath.Join(dir, "webhook.json")
	return webhook, os.WriteFile(webhook, fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Config", "current-context": "eks",
		"clusters": [{"name": "eks", "cluster": {"server": "https://%s", "certificate-authority": %q}}],
		"contexts": [{"name": "eks", "context": {"cluster": "eks"}}]}`, listener.Addr(), filepath.Join(dir, "ca.crt")), 0o600)
}

// ServeHTTP answers a TokenReview.
func (a authenticator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review authentication.TokenReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	user, err := a.user(review.Spec.Token)
	review.Spec.Token = ""
	if err != nil {
		fmt.Fprintln(os.Stderr, "apiserver: token refused:", err)
	} else {
		review.Status = authentication.TokenReviewStatus{Authenticated: true, User: user}
	}
	_ = json.NewEncoder(w).Encode(review) // kube-apiserver sees a failure too
}

func (a authenticator) user(t string) (authentication.UserInfo, error) {
	var none authentication.UserInfo
	id, err := a.verifier.Verify(t)
	if err != nil {
		return none, err
	}
	c, err := readCluster(a.file)
	if err != nil {
		return none, err
	}
	entry, found := c.AccessEntries[id.CanonicalARN]
	if !found {
		return none, fmt.Errorf("%s has no access entry", id.CanonicalARN)
	}
	return authentication.UserInfo{
		Username: strings.ReplaceAll(entry.UserName, "{{SessionName}}", id.SessionName),
		UID:      "aws-iam-authenticator:" + id.AccountID + ":" + id.UserID,
		Groups:   entry.Groups,
	}, nil
}
