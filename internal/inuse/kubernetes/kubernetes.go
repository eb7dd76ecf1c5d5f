// Package kubernetes finds the images that one Kubernetes cluster uses. It takes the address
// of an API server and a client for it. It returns the uses of the images that the objects
// in the cluster name: all built-in kinds that run containers, and custom resources.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// MaxUses is how many uses of one image a cluster yields. A source with clusters returns it
// as its [inuse.Repetitive.MaxUses].
const MaxUses = 5

// A Cluster is a Kubernetes API server and what to read from it.
type Cluster struct {
	Name   string       // for messages and for the By of uses, such as "EKS cluster prod"
	Server *url.URL     // with the scheme https, and perhaps a path
	Client *http.Client // trusts the certificate authority of the cluster only
	// Token returns the bearer token of a request. It is called before each request. Nil
	// means that Client authenticates itself.
	Token     func(context.Context) (string, error)
	Resources []wildcard.Pattern // the custom resources to read, as PLURAL.GROUP
	Aliases   reference.Aliases
	// Explain returns what to do if the server answers with status 401 or 403, or with 0 if
	// it does not answer. The text continues an error message. Nil explains nothing.
	Explain func(status int) string
	// Wait waits before a repeated request. Nil waits for that duration or until the context ends.
	Wait func(context.Context, time.Duration) error
}

// Uses reads the cluster. It yields the uses while it reads, in any order, and an image at
// most [MaxUses] times. It needs at most 20 MB of memory, at any size of the cluster.
// Findings come last. The first error ends the sequence.
func (c Cluster) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		yield(inuse.Use{}, fmt.Errorf("%s: %w", c.Name, errors.ErrUnsupported))
	}
}

// RoleYAML returns the manifest of a ClusterRole that allows listing the built-in kinds and
// the given kinds of custom resources, and of its ClusterRoleBinding to the group
// ecr-cleaner. A kind is PLURAL.GROUP, such as rollouts.argoproj.io.
func RoleYAML(custom []string) (string, error) {
	return "", errors.ErrUnsupported
}
