package eks

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
)

// A cluster is what DescribeCluster returns.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
type cluster struct {
	Name, Status, Endpoint string
	Place                  string `json:"-"` // if it is not the registry's account and Region
	ID                     string // of a local cluster on an Outpost; its tokens have it instead of Name
	CertificateAuthority   struct{ Data string }
	ResourcesVPCConfig     struct {
		EndpointPublicAccess *bool
		PublicAccessCIDRs    []string
	}
	AccessConfig struct{ AuthenticationMode string }
}

const deleting = "DELETING"

// hasNoServer reports whether there is nothing to query yet, or no more. EKS adds nodes only
// after the creation, and the re-check before each deletion sees the pulls of their pods. A
// cluster that failed without an endpoint never had an API server. EKS deletes a cluster
// only after its node groups and Fargate profiles. Self-managed nodes may be left, so the
// source queries a cluster that is being deleted as long as it answers.
// https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html
func (c cluster) hasNoServer() bool {
	switch c.Status {
	case "CREATING", "PENDING":
		return true
	case deleting, "FAILED":
		return c.Endpoint == ""
	}
	return false
}

func (c cluster) notReady() inuse.Use {
	return inuse.Use{By: c.text(), Finding: finding.Finding{
		Kind: finding.ClusterNotReady, Message: c.text() + " was not queried, because its status is " + c.Status,
	}}
}

func (c cluster) text() string {
	if c.Place == "" {
		return "EKS cluster " + c.Name
	}
	return "EKS cluster " + c.Name + " in " + c.Place
}

// server returns the API server of the cluster, which EKS's certificate authority of the
// cluster alone can vouch for. It sets silent if the server does not answer.
func (s source) server(ctx context.Context, c cluster, silent *bool) (kubernetes.Cluster, error) {
	server, err := url.Parse(c.Endpoint)
	if err != nil || server.Scheme != "https" || server.Host == "" {
		return kubernetes.Cluster{}, fmt.Errorf("the endpoint %q of the cluster is not an https URL", c.Endpoint)
	}
	pem, err := base64.StdEncoding.DecodeString(c.CertificateAuthority.Data)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		return kubernetes.Cluster{}, errors.New("the answer has no readable certificate authority")
	}
	tokens := &tokenSource{cfg: s.AWS, cluster: cmp.Or(c.ID, c.Name), clock: s.Clock}
	if _, err := tokens.newest(ctx); err != nil { // it says nothing about the server
		return kubernetes.Cluster{}, err
	}
	transport := kubernetes.NewTransport(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	return kubernetes.Cluster{
		Name: c.text(), Server: server, Client: &http.Client{Transport: transport}, Token: tokens.newest,
		Resources: s.Settings.EKSResources, Aliases: s.Aliases,
		Explain: func(status int) string {
			*silent = status == 0
			return s.explain(c, status)
		},
	}, nil
}
