// Package hostile holds no code, only one random test: the programs clean small
// registries while everything around them changes and fails. Between any two
// calls other people push, tag, pull, delete, archive and start to use images,
// clocks jump and the machine is suspended. Any call may be throttled, lost,
// refused, carried out late or answered late.
//
// The test judges each removing call when it is sent, and each report when the
// run has ended. The judgement follows the contract, "What is never removed",
// and shares no code with the cleaner: it knows the truth from the embedded
// registry, and what the run has seen from the answers that reached it.
//
//	go test ./internal/hostile -registries 100000   # make hostile
//	go test ./internal/hostile -seed 4711           # one registry, with its trace
package hostile
