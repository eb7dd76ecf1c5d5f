package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"

	"github.com/spf13/pflag"
	logs "k8s.io/component-base/logs/api/v1"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// complete returns the options of a kube-apiserver with RBAC. Later flags override earlier ones.
func complete(ctx context.Context, dir, etcd string, listener net.Listener, flags []string) (options.CompletedOptions, error) {
	file := func(name string) string { return filepath.Join(dir, name) }
	flags = append([]string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + file("server.crt"),
		"--tls-private-key-file=" + file("server.key"),
		"--client-ca-file=" + file("ca.crt"),
		"--token-auth-file=" + file("tokens.csv"),
		"--service-account-issuer=https://issuer.invalid",
		"--service-account-key-file=" + file("server.key"),
		"--service-account-signing-key-file=" + file("server.key"),
		"--service-cluster-ip-range=10.0.0.0/16",
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount", // no controller creates the default accounts
		"--allow-privileged=true",
		"--profiling=false",
	}, flags...)
	o := options.NewServerRunOptions()
	set := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, section := range o.Flags().FlagSets {
		set.AddFlagSet(section)
	}
	var none options.CompletedOptions
	if err := set.Parse(flags); err != nil {
		return none, err
	}
	o.SecureServing.Listener, o.SecureServing.BindPort = listener, listener.Addr().(*net.TCPAddr).Port
	o.SecureServing.ServerCert.CertDirectory = dir
	if err := o.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return none, err
	}
	if err := logs.ValidateAndApply(o.Logs, nil); err != nil {
		return none, err
	}
	completed, err := o.Complete(ctx)
	if err != nil {
		return none, err
	}
	return completed, errors.Join(completed.Validate()...)
}
