// Package kubeconfig is the in-use source for clusters outside EKS. It takes the contexts of
// a kubeconfig that protect.kubeconfig names. It returns the uses that package kubernetes
// finds in each of their clusters.
package kubeconfig

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

const maxClusters = 4 // at the same time

// A Source is the in-use source.
type Source struct {
	query.Environment
	AllowExec bool // whether it may run the programs that a kubeconfig names, to log in
}

// Name returns [config.KubeconfigSource].
func (Source) Name() string { return config.KubeconfigSource }

// MaxUses returns how many uses of one image a scan keeps.
func (Source) MaxUses() int { return kubernetes.MaxUses }

// Uses queries the cluster of each context. Its error names each context that failed.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		files, contexts, err := s.load()
		if err != nil {
			yield(inuse.Use{}, err)
			return
		}
		query.Merge(ctx, maxClusters, contexts, func(ctx context.Context, name string) iter.Seq2[inuse.Use, error] {
			return s.uses(ctx, files, name)
		})(yield)
	}
}

// load merges the files as kubectl does, and returns the names of the contexts to query.
func (s Source) load() (files *api.Config, contexts []string, err error) {
	settings := s.Settings.Kubeconfig
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath, rules.WarnIfAllMissing = settings.Path, false
	if files, err = rules.Load(); err != nil {
		return nil, nil, fmt.Errorf("load the kubeconfig: %w; correct protect.kubeconfig", err)
	}
	switch {
	case len(settings.Contexts) > 0:
		return files, settings.Contexts, nil
	case len(files.Contexts) == 0:
		return nil, nil, errors.New("there is no kubeconfig with a context; name the file in protect.kubeconfig")
	case files.CurrentContext == "":
		return nil, nil, errors.New("the kubeconfig has no current context; name its contexts in protect.kubeconfig.contexts")
	}
	return files, []string{files.CurrentContext}, nil
}

func (s Source) uses(ctx context.Context, files *api.Config, name string) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		cluster, err := s.cluster(files, name)
		if err != nil {
			yield(inuse.Use{}, fmt.Errorf("context %s: %w", name, err))
			return
		}
		defer cluster.Client.CloseIdleConnections()
		cluster.Uses(ctx)(yield)
	}
}

func (s Source) cluster(files *api.Config, name string) (kubernetes.Cluster, error) {
	if files.Contexts[name] == nil {
		return kubernetes.Cluster{}, errors.New("the kubeconfig has no such context; correct protect.kubeconfig.contexts, or its current-context")
	}
	settings, err := clientcmd.NewNonInteractiveClientConfig(*files, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return kubernetes.Cluster{}, fmt.Errorf("%w; correct the kubeconfig", err)
	}
	server, err := url.Parse(settings.Host)
	switch entry := files.Clusters[files.Contexts[name].Cluster]; {
	case err != nil || server.Scheme != "https" || server.Host == "":
		return kubernetes.Cluster{}, fmt.Errorf("the server %q is not an https URL; give it one, because anyone on the network could change its answers", settings.Host)
	case settings.Insecure:
		return kubernetes.Cluster{}, errors.New("insecure-skip-tls-verify is set; give the cluster its certificate-authority instead")
	case entry.ProxyURL != "":
		return kubernetes.Cluster{}, errors.New("proxy-url is not supported; set HTTPS_PROXY instead")
	case settings.ExecProvider != nil && !s.AllowExec:
		return kubernetes.Cluster{}, fmt.Errorf("its user logs in with the program %q; allow it with --allow-exec", settings.ExecProvider.Command)
	case settings.ExecProvider != nil:
		settings.ExecProvider.StdinUnavailable, settings.ExecProvider.StdinUnavailableMessage = true, "ecrclean reads it"
	}
	transport, err := transport(settings)
	if err != nil {
		return kubernetes.Cluster{}, fmt.Errorf("%w; correct the kubeconfig", err)
	}
	return kubernetes.Cluster{
		Name: "context " + name, Server: server, Resources: s.Settings.EKSResources, Aliases: s.Aliases,
		Client:  &http.Client{Transport: transport},
		Explain: func(status int) string { return explain(name, status) },
	}, nil
}

// transport returns a transport that authenticates itself as the user of the context.
func transport(settings *rest.Config) (http.RoundTripper, error) {
	trust, err := rest.TLSConfigFor(settings)
	if err != nil {
		return nil, err
	}
	return rest.HTTPWrappersForConfig(settings, kubernetes.NewTransport(trust))
}

func explain(name string, status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "log in again, or correct the user of the context"
	case http.StatusForbidden:
		return "bind the ClusterRole to its user or group: ecrclean kubernetes-role prints it"
	}
	return fmt.Sprintf("check the network and the certificate-authority of the cluster, or take the context %s out of protect.kubeconfig and name a list of its images in protect.references", name)
}
