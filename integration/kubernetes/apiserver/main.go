// Command apiserver runs etcd and kube-apiserver in one process on 127.0.0.1. It is the
// Kubernetes cluster of the tests, without controllers, scheduler and kubelet.
//
//	apiserver -dir DIR [-eks FILE] [-- FLAGS]
//
// DIR has the files ca.crt, server.crt, server.key and tokens.csv. apiserver prints its URL
// once it listens, and becomes ready later. At the end of its standard input it removes DIR
// and ends, so that it never outlives its test. FLAGS are flags of kube-apiserver.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	dir := flag.String("dir", "", "the folder of certificates, static tokens and data")
	eks := flag.String("eks", "", "authenticate tokens as EKS does; the file describes the cluster")
	flag.Parse()
	if err := run(*dir, *eks, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		os.Exit(1)
	}
}

func run(dir, eks string, flags []string) error {
	if dir == "" {
		return errors.New("-dir is missing")
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // an error ends it too
		_ = os.RemoveAll(dir)
		os.Exit(0)
	}()
	if eks != "" {
		webhook, err := serveTokenReviews(dir, eks)
		if err != nil {
			return err
		}
		flags = append(flags, "--authentication-token-webhook-config-file="+webhook,
			"--authentication-token-webhook-version=v1", "--authentication-token-webhook-cache-ttl=0s")
	}
	etcd, err := startEtcd(dir)
	if err != nil {
		return fmt.Errorf("start etcd: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx := context.Background()
	options, err := complete(ctx, dir, etcd, listener, flags)
	if err != nil {
		return err
	}
	fmt.Println("https://" + listener.Addr().String())
	return app.Run(ctx, options)
}
