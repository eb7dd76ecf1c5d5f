package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	pageSize    = 500
	maxRestarts = 3 // of one list, which fails instead of the last one
)

// A resource is a kind of objects that the API server lists.
type resource struct {
	group, version string // the group of the core API is empty
	plural, kind   string
}

// String returns the name that kubectl accepts, such as pods or deployments.apps.
func (r resource) String() string { return strings.TrimSuffix(r.plural+"."+r.group, ".") }

func (r resource) apiVersion() string { return strings.TrimPrefix(r.group+"/"+r.version, "/") }

func (r resource) path() string {
	if r.group == "" {
		return "api/" + r.version + "/" + r.plural
	}
	return "apis/" + r.apiVersion() + "/" + r.plural
}

// list calls item with every object of the resource in all namespaces, page by page. If a
// page fails, the objects of the page may be repeated.
//
// All pages show the state of the cluster at the time of the first page. After some minutes
// Kubernetes has deleted that state. It then answers with 410 and a token for another state.
// A list with that token can lack an object that existed all the time. Therefore list begins
// again.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
func (s *scan) list(ctx context.Context, r resource, item func(text []byte) error) error {
	for restarts := 1; ; restarts++ {
		err := s.pages(ctx, r, item)
		switch {
		case err == nil || errors.Is(err, errStopped):
			return err
		case !hasStatus(err, http.StatusGone):
			return fmt.Errorf("list %s: %w", r, err)
		case restarts == maxRestarts:
			return fmt.Errorf("list %s: the list had to begin again %d times, because its token expired before the last page; "+
				"give the cleaner more memory, and with it more CPU: %w", r, restarts, err)
		}
	}
}

func (s *scan) pages(ctx context.Context, r resource, item func(text []byte) error) error {
	tokens := map[string]bool{"": true}
	for token := ""; ; {
		p, err := s.page(ctx, r, token, item)
		token = p.metadata.Continue
		switch {
		case err != nil:
			return err
		case token == "" && p.metadata.RemainingItemCount > 0:
			return errors.New("the list is cut short: more objects remain, and there is no continue token")
		case token == "":
			return nil
		case tokens[token]:
			return errors.New("the list is cut short: a continue token is repeated")
		}
		tokens[token] = true
	}
}

// page reads one page. Without a resourceVersion it is read from the newest state; with
// resourceVersion=0 the server would ignore the limit.
func (s *scan) page(ctx context.Context, r resource, token string, item func(text []byte) error) (page, error) {
	query := url.Values{"limit": {fmt.Sprint(pageSize)}}
	if token != "" {
		query.Set("continue", token)
	}
	p, err := s.read(ctx, request{path: r.path(), query: query.Encode()}, func() {}, item)
	// The kind of a list of custom resources is up to their definition.
	if isBuiltIn := slices.Contains(builtIns, r); err == nil && (p.apiVersion != r.apiVersion() || isBuiltIn && p.kind != r.kind+"List") {
		err = fmt.Errorf("the answer is a %q of %q; check that the address is that of a Kubernetes API server", p.kind, p.apiVersion)
	}
	return p, err
}
