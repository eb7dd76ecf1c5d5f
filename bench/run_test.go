package bench_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// The registry of BenchmarkRun.
var runSize = bench.Size{Repositories: 32, Images: 500}

const runLatency = 5 * time.Millisecond

// BenchmarkRun handles one event, from the event to the report. The embedded registry has
// 16,000 images, and each call takes 5 ms.
func BenchmarkRun(b *testing.B) {
	for _, mode := range []string{"plan", "apply"} {
		b.Run("mode="+mode, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				registry := httptest.NewServer(bench.NewServer(runSize, runLatency, noon))
				b.StartTimer()
				report, err := handle(b.Context(), registry.URL, `{"mode": "`+mode+`"}`)
				b.StopTimer()
				registry.Close()
				if err != nil {
					b.Fatal(err)
				}
				if t := report.Totals; t.Evaluated != runSize.Total() || t.Expired != 3712 || mode == "apply" && t.Deleted != t.Expired {
					b.Fatalf("totals are %+v", t)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(runSize.Total()*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// handle handles an event on the registry at that address.
func handle(ctx context.Context, address, event string) (*report.Report, error) {
	clock := func() time.Time { return noon }
	h := function.Handler{
		Configuration: bench.Configuration(bench.Policy(runSize.Images, bench.Some)),
		Read:          function.SourceReader("", "", clock),
		Connect: func(context.Context) (function.Registry, error) {
			return function.Connect(awsclient.Local(address, "eu-west-1"), clock), nil
		},
		Now: clock, RunID: func(context.Context) string { return "run" }, Log: slog.New(slog.DiscardHandler),
	}
	return h.Handle(ctx, json.RawMessage(event))
}
