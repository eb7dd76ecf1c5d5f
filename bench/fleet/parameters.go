package main

import (
	"flag"
	"time"
)

// Parameters describe a fleet, the services that it calls, and the settings that decide how
// long an execution takes.
type Parameters struct {
	// The fleet.
	Accounts, Regions int
	Images            int     // of all registries together
	PerRepository     int     // images in a repository on average
	Empty             float64 // share of the registries that have no repository
	Skew              float64 // the sigma of the lognormal sizes of the registries; 0 makes all equal
	Expired           float64 // share of the images that the execution removes

	// The services. A latency is that of one call, without a wait for its turn.
	ScanCalls   int           // in-use calls in one account and Region
	ScanLatency time.Duration // of each
	ECRLatency  time.Duration
	S3Latency   time.Duration
	ECRRate     float64       // calls per second that ECR accepts from an account in a Region
	Start       time.Duration // from the invocation to the first call, with the role assumed

	// The settings.
	Know, Act       int // MaxConcurrencyKnow and MaxConcurrencyAct of deploy/fleet.yaml
	CallConcurrency int // ECR calls at a time in one run
	ScanConcurrency int // in-use calls at a time in one run
	Timeout         time.Duration
	ListsMaxAge     time.Duration
	MaxRounds       int
	MemoryMB        int

	Seed uint64
}

// Prices are in USD, those of us-east-1 on 2026-12-01.
// https://aws.amazon.com/step-functions/pricing/ https://aws.amazon.com/lambda/pricing/
// https://aws.amazon.com/s3/pricing/
const (
	perTransition  = 25e-6
	perGBSecond    = 13.3334e-6 // arm64
	perInvocation  = 0.2e-6
	perPut, perGet = 5e-6, 0.4e-6 // a listing costs as much as a PUT
)

// The states of deploy/fleet.asl.json: those of one execution, of one further cycle, of one
// place, and of one registry without and for each run.
const (
	statesPerExecution = 8
	statesPerCycle     = 5
	statesPerPlace     = 1
	statesPerRegistry  = 1
	statesPerRun       = 2
)

// flags declares the flags, whose defaults are those of deploy/fleet.yaml and of the configuration.
func flags(set *flag.FlagSet) *Parameters {
	p := &Parameters{}
	set.IntVar(&p.Accounts, "accounts", 1000, "accounts")
	set.IntVar(&p.Regions, "regions", 4, "Regions of each account")
	set.IntVar(&p.Images, "images", 10_000_000, "images of all registries together")
	set.IntVar(&p.PerRepository, "per-repository", 200, "images in a repository on average")
	set.Float64Var(&p.Empty, "empty", 0.5, "share of the registries without a repository")
	set.Float64Var(&p.Skew, "skew", 1.5, "sigma of the lognormal sizes of the registries")
	set.Float64Var(&p.Expired, "expired", 0.02, "share of the images that are removed")
	set.IntVar(&p.ScanCalls, "scan-calls", 138, "in-use calls in one account and Region")
	set.DurationVar(&p.ScanLatency, "scan-latency", 60*time.Millisecond, "of an in-use call")
	set.DurationVar(&p.ECRLatency, "ecr-latency", 100*time.Millisecond, "of an ECR call")
	set.DurationVar(&p.S3Latency, "s3-latency", 40*time.Millisecond, "of an S3 call")
	set.Float64Var(&p.ECRRate, "ecr-rate", 20, "ECR calls per second of an account in a Region")
	set.DurationVar(&p.Start, "start", 400*time.Millisecond, "from an invocation to its first call")
	set.IntVar(&p.Know, "know", 40, "MaxConcurrencyKnow")
	set.IntVar(&p.Act, "act", 20, "MaxConcurrencyAct")
	set.IntVar(&p.CallConcurrency, "call-concurrency", 32, "ECR calls at a time in one run")
	set.IntVar(&p.ScanConcurrency, "scan-concurrency", 8, "in-use calls at a time in one run")
	set.DurationVar(&p.Timeout, "timeout", 15*time.Minute, "of the function")
	set.DurationVar(&p.ListsMaxAge, "lists-max-age", time.Hour, "fleet.listsMaxAgeMinutes")
	set.IntVar(&p.MaxRounds, "max-rounds", 40, "fleet.maxRounds")
	set.IntVar(&p.MemoryMB, "memory", 256, "memory of the function in MB")
	set.Uint64Var(&p.Seed, "seed", 1, "of the sizes of the registries")
	return p
}
