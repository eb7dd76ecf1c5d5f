// Command loadserver serves a registry of a given size on 127.0.0.1 for measurements. It
// prints its address when it is ready, and answers GET /__stats with its counts of calls.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

func main() {
	var size bench.Size
	flag.IntVar(&size.Repositories, "repositories", 100, "number of repositories")
	flag.IntVar(&size.Images, "images", 1000, "images in each")
	flag.BoolVar(&size.Attached, "attached", false, "attach a policy to each repository")
	latency := flag.Duration("latency", 20*time.Millisecond, "time that each call takes")
	rate := flag.Float64("rate", 0, "calls per second beyond which calls are throttled; 0 for no limit")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	server := bench.NewServer(size, *latency, time.Now())
	if *rate > 0 {
		server.Throttle("", *rate, max(1, int(*rate)))
	}
	listener, err := net.Listen("tcp", *listen)
	if err == nil {
		fmt.Println("http://" + listener.Addr().String())
		err = http.Serve(listener, server)
	}
	fmt.Fprintln(os.Stderr, "loadserver:", err)
	os.Exit(1)
}
