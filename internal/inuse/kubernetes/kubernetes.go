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
	Name   string   // for messages and for the By of uses, such as "EKS cluster prod"
	Server *url.URL // with the scheme https, and perhaps a path
	// Client trusts the certificate authority of the cluster only, and has a timeout for
	// connections. Its CheckRedirect does not count: no redirect is followed.
	Client *http.Client
	// Token returns the token in the header Authorization. It is called before each request.
	// Nil means that Client authenticates itself.
	Token     func(context.Context) (string, error)
	Resources []wildcard.Pattern // the custom resources to read, as PLURAL.GROUP
	Aliases   reference.Aliases
	// Explain returns what to do about the status 401 or 403, or 0 if the server does not
	// answer. The text follows a semicolon in an error message. Nil explains nothing.
	Explain func(status int) string
	// Wait waits before a repeated request. Nil waits for that duration or until the context ends.
	Wait func(context.Context, time.Duration) error
}

// Uses reads the cluster. It yields the uses while it reads, in any order, and an image at
// most [MaxUses] times. Findings come last. The first error ends the sequence.
//
// Uses needs at most 20 MB of memory for any number of objects. Single objects above 1 MB
// need more, and so do more than ten thousand different images.
func (c Cluster) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		s := &scan{Cluster: c, yield: yield, yielded: map[reference.Reference]int{}}
		err := s.run(ctx)
		if err == nil {
			err = s.findings()
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(inuse.Use{}, fmt.Errorf("%s: %w", c.Name, err))
		}
	}
}

// builtIns are the built-in kinds that run containers. While the cleaner reads the lists, an
// image can pass from an object to an object that it owns, such as from a cron job to a job.
// Therefore owners come first, and custom resources come before all built-in kinds.
var builtIns = []resource{
	{"batch", "v1", "cronjobs", "CronJob"},
	{"batch", "v1", "jobs", "Job"},
	{"apps", "v1", "deployments", "Deployment"},
	{"apps", "v1", "statefulsets", "StatefulSet"},
	{"apps", "v1", "daemonsets", "DaemonSet"},
	{"apps", "v1", "controllerrevisions", "ControllerRevision"},
	{"apps", "v1", "replicasets", "ReplicaSet"},
	{"", "v1", "replicationcontrollers", "ReplicationController"},
	podTemplates,
	{"", "v1", "pods", "Pod"},
}

var podTemplates = resource{"", "v1", "podtemplates", "PodTemplate"}

// errStopped ends the scan when the consumer has stopped iterating.
var errStopped = errors.New("stopped")

// A scan is one pass over a cluster.
type scan struct {
	Cluster
	client   *http.Client // the Client, without redirects
	answered bool         // the server has answered a request
	yield    func(inuse.Use, error) bool
	yielded  map[reference.Reference]int // how often, by image

	notListed  []string // the kinds that exist and may not be listed
	down       []string // API groups whose kinds are not known
	unresolved examples // containers whose recorded digest is not of a manifest
	unreadable examples // containers whose image is not known
}

func (s *scan) run(ctx context.Context) error {
	if s.Server.Scheme != "https" {
		return fmt.Errorf("the server %s must have an https address", s.Server.Redacted())
	}
	client := *s.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.client = &client
	if len(s.Resources) > 0 {
		if err := s.customResources(ctx); err != nil {
			return s.explain(err)
		}
	}
	for _, r := range builtIns {
		err := s.list(ctx, r, func(text []byte) error { return s.object(r, text) })
		switch {
		case r == podTemplates && hasStatus(err, http.StatusForbidden):
			s.notListed = append(s.notListed, r.String())
		case hasStatus(err, http.StatusNotFound):
			return noAPIServer(err)
		case hasStatus(err, http.StatusForbidden):
			return s.explain(fmt.Errorf("%w; allow the verb list for %s in the ClusterRole, as \"ecrclean kubernetes-role\" prints it", err, r))
		case err != nil:
			return s.explain(err)
		}
	}
	return nil
}

func noAPIServer(err error) error {
	return fmt.Errorf("%w; check that the address is that of a Kubernetes API server", err)
}

// explain adds what to do to an error of the connection or of the rights.
func (s *scan) explain(err error) error {
	_, broken := errors.AsType[brokenError](err)
	answer, isAnswer := asStatus(err)
	switch {
	case s.Explain == nil:
	case isAnswer && (answer.code == http.StatusUnauthorized || answer.code == http.StatusForbidden):
		return fmt.Errorf("%w; %s", err, s.Explain(answer.code))
	case broken && !s.answered && !errors.Is(err, context.Canceled):
		return fmt.Errorf("%w; %s", err, s.Explain(0))
	}
	return err
}
