// Command loadserver serves a registry of a given size on 127.0.0.1 for measurements, and the
// accounts around it if there are any. It prints its address when it is ready, and answers
// GET /__stats and GET /__accounts with its counts of calls.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

func main() {
	var scale accounts.Scale
	size := &scale.Size
	flag.IntVar(&size.Repositories, "repositories", 100, "number of repositories")
	flag.IntVar(&size.Images, "images", 1000, "images in each")
	flag.IntVar(&size.Small, "small", 0, "number of further repositories of 100 images")
	flag.IntVar(&scale.Accounts, "accounts", 0, "number of other accounts, with ECS and Lambda; needs small repositories")
	flag.IntVar(&scale.Regions, "regions", 1, "number of Regions of each of them, at most four")
	flag.IntVar(&scale.Denied, "denied", 0, "number of accounts whose role cannot be assumed, and of those that deny Lambda")
	flag.IntVar(&scale.Throttled, "throttled", 0, "per cent of the calls in the accounts that are throttled")
	flag.BoolVar(&size.Attached, "attached", false, "attach a policy to each repository")
	latency := flag.Duration("latency", 20*time.Millisecond, "time that each call takes")
	rate := flag.Float64("rate", 0, "calls per second beyond which calls are throttled; 0 for no limit")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	server, handler := registry(scale, *latency)
	if *rate > 0 {
		server.Throttle("", *rate, max(1, int(*rate)))
	}
	listener, err := net.Listen("tcp", *listen)
	if err == nil {
		fmt.Println("http://" + listener.Addr().String())
		err = http.Serve(listener, handler)
	}
	fmt.Fprintln(os.Stderr, "loadserver:", err)
	os.Exit(1)
}

// registry returns a registry, and the handler for it and for the accounts around it.
func registry(scale accounts.Scale, latency time.Duration) (*bench.Server, http.Handler) {
	if scale.Accounts == 0 {
		server := bench.NewServer(scale.Size, latency, time.Now())
		return server, server
	}
	server := accounts.NewServer(scale, latency, time.Now())
	return server.Server, server
}
