// Package eks is the in-use source for the EKS clusters of one Region. It takes the EKS API
// and the names of the clusters to query. It returns the uses that package kubernetes finds
// in each of them.
package eks

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// Actions are the IAM actions of the source. The rights in a cluster come from an access
// entry and a ClusterRole.
var Actions = []string{"eks:DescribeCluster", "eks:ListClusters"}

const (
	name        = "eks" // in protect.inUse
	maxClusters = 4     // at the same time
)

// A source is the in-use source.
type source struct {
	query.Environment
	api    awsclient.Service
	caller func() awsclient.Principal // of the credentials
}

// New returns the source for the environment. It uses the settings EKSClusters and
// EKSResources. It does not query the connected clusters, which run outside EKS.
func New(env query.Environment) inuse.Source {
	s := source{Environment: env, api: awsclient.Service{Config: env.AWS, Name: name, SDKID: "EKS", Clock: env.Clock}}
	s.caller = sync.OnceValue(func() awsclient.Principal { return principal(env.AWS) })
	return s
}

// Name returns "eks".
func (source) Name() string { return name }

// MaxUses returns how many uses of one image a scan keeps.
func (source) MaxUses() int { return kubernetes.MaxUses }

// Uses queries the clusters. Its error names each cluster that failed.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		names, err := s.selected(ctx)
		if err != nil {
			yield(inuse.Use{}, err)
			return
		}
		query.Merge(ctx, maxClusters, names, s.uses)(yield)
	}
}

// selected returns the names of the clusters to query. In the registry's account and Region,
// a name in the settings without a cluster is an error, since its cluster may be elsewhere.
func (s source) selected(ctx context.Context) ([]string, error) {
	type page struct {
		Clusters  []string
		NextToken *string
	}
	all, err := query.List(func(token *string) (out page, err error) {
		in := url.Values{"maxResults": {"100"}}
		if token != nil {
			in.Set("nextToken", *token)
		}
		err = s.api.Get(ctx, "ListClusters", "/clusters", in, &out)
		return out, err
	}, func(out page) ([]string, *string) { return out.Clusters, out.NextToken })
	if err != nil {
		return nil, query.Explain(name, "list clusters", err)
	}
	for _, pattern := range s.Settings.EKSClusters {
		if named := pattern.String(); s.Place == "" && !strings.Contains(named, "*") && !slices.Contains(all, named) {
			return nil, fmt.Errorf("list clusters: there is no cluster %q in this account and Region; "+
				"correct protect.eksClusters, or name a list of its images in protect.references", named)
		}
	}
	return slices.DeleteFunc(all, func(cluster string) bool {
		return !slices.ContainsFunc(s.Settings.EKSClusters, func(p wildcard.Pattern) bool { return p.Match(cluster) })
	}), nil
}

// uses yields the uses of one cluster, or a finding if there is nothing to query yet.
func (s source) uses(ctx context.Context, named string) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		cluster, err := s.describe(ctx, named)
		switch {
		case query.HasCode(err, "ResourceNotFoundException"): // deleted after it was listed
			return
		case err != nil:
			yield(inuse.Use{}, query.Explain(name, "describe cluster "+named, err))
			return
		case cluster.hasNoServer():
			yield(cluster.notReady(), nil)
			return
		}
		silent := false
		server, err := s.server(ctx, cluster, &silent)
		if err != nil {
			yield(inuse.Use{}, fmt.Errorf("%s: %w", cluster.text(), err))
			return
		}
		defer server.Client.CloseIdleConnections()
		for use, err := range server.Uses(ctx) {
			if err != nil && silent && cluster.Status == deleting && ctx.Err() == nil {
				use, err = cluster.notReady(), nil
			}
			if !yield(use, err) || err != nil {
				return
			}
		}
	}
}

func (s source) describe(ctx context.Context, named string) (cluster, error) {
	var out struct{ Cluster *cluster }
	if err := s.api.Get(ctx, "DescribeCluster", "/clusters/"+url.PathEscape(named), nil, &out); err != nil {
		return cluster{}, err
	}
	if out.Cluster == nil || out.Cluster.Status == "" {
		return cluster{}, errors.New("the answer has no cluster with a status")
	}
	out.Cluster.Name, out.Cluster.Place = named, s.Place
	return *out.Cluster, nil
}
