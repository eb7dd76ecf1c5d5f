// Package hostile holds no code, only one random test: the programs clean small
// registries while everything around them changes and fails. They delete images by a
// policy (in one run, or in several that continue), a saved plan, names, or filters with
// overridden protection. Between any two calls other people push, tag, pull, delete, archive and start to use images,
// clocks jump and the machine is suspended. Any call may be throttled, lost,
// refused, carried out late or answered late. Several in-use sources fail, stall, panic
// or name nothing, each on its own, and a repository relies upon some of them.
//
// The test judges each removing call when it is sent, and each report when the
// run has ended. The judgement is written from the contract and shares no code
// with the cleaner. It takes the truth from the embedded registry. It takes the
// knowledge of the run from the answers that reached the run.
//
//	go test ./internal/hostile -registries 100000   # make hostile
//	go test ./internal/hostile -seed 4711 -v        # one registry, with its trace
//
// The seed alone decides the registry, the events and the faults, but not the length of
// the cleaner's pauses. If one run of a seed does not show a failure, add -count 50.
package hostile
