package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A registry is one account in one Region.
type registry struct {
	repositories int
	calls        float64 // of ECR that are left
	rounds       int
	failed       bool // too many rounds
}

// A Result is what one execution takes.
type Result struct {
	Duration, Knowing, Acting time.Duration
	Cycles                    int
	Places, Registries        int
	Runs, MostRuns            int // in all, and of one registry
	Unfinished                int // registries that would need more rounds
	ECRCalls, ScanCalls       int
	S3Puts, S3Gets            int
	Transitions, Invocations  int
	LambdaSeconds             float64
	Largest                   time.Duration // the time of the slowest registry alone
	Dollars                   Dollars
}

// Dollars are the parts of the price of an execution.
type Dollars struct{ StepFunctions, Lambda, S3 float64 }

// Sum returns the whole price.
func (d Dollars) Sum() float64 { return d.StepFunctions + d.Lambda + d.S3 }

// rate returns the ECR calls per second of one run.
func (p *Parameters) rate() float64 {
	return min(p.ECRRate, float64(p.CallConcurrency)/p.ECRLatency.Seconds())
}

// registries returns the registries with the images spread over those that are not empty.
func (p *Parameters) registries() []*registry {
	random := rand.New(rand.NewPCG(p.Seed, 0))
	all := make([]*registry, p.Accounts*p.Regions)
	weights, sum := make([]float64, len(all)), 0.0
	for i := range all {
		all[i] = &registry{}
		if random.Float64() >= p.Empty {
			weights[i] = math.Exp(p.Skew * random.NormFloat64())
			sum += weights[i]
		}
	}
	for i, r := range all {
		if weights[i] == 0 {
			r.calls = 1 // that lists no repository
			continue
		}
		images := float64(p.Images) * weights[i] / sum
		r.repositories = max(int(math.Ceil(images/float64(p.PerRepository))), 1)
		pages := float64(r.repositories) * math.Ceil(float64(p.PerRepository)/1000)
		removed := images * p.Expired
		// A batch of 100 needs a call that describes it again and one that deletes it, and is of
		// one repository.
		batches := min(math.Ceil(removed), math.Max(removed/100, float64(r.repositories)*min(1, float64(p.PerRepository)*p.Expired)))
		policies := float64(r.repositories) // of the repositories, which say who may pull
		r.calls = math.Ceil(float64(r.repositories)/1000) + pages + policies + 2*batches + 2
	}
	return all
}

// Simulate plays one execution.
func Simulate(p *Parameters) Result {
	all := p.registries()
	result := Result{Places: len(all), Registries: len(all), Transitions: statesPerExecution, Invocations: 2}
	for _, r := range all {
		result.Largest = max(result.Largest, seconds(r.calls/p.rate()))
	}
	left := all
	for len(left) > 0 && result.Cycles < p.MaxRounds {
		result.Cycles++
		result.Transitions += statesPerCycle
		result.Invocations += 2
		begun := result.Duration
		oldest := p.know(&result)
		before := remaining(left)
		left = p.act(&result, left, oldest+p.ListsMaxAge)
		result.Duration += p.read(&result, len(all)) // step next reads the outcomes
		if remaining(left) == before || result.Duration == begun {
			break // no registry made progress
		}
	}
	result.Duration += p.read(&result, 2*len(all)) // the judge
	result.Unfinished = len(left)
	for _, r := range all {
		result.MostRuns = max(result.MostRuns, r.rounds)
		if r.failed {
			result.Unfinished++
		}
	}
	result.Dollars = Dollars{
		StepFunctions: float64(result.Transitions) * perTransition,
		Lambda:        result.LambdaSeconds*float64(p.MemoryMB)/1024*perGBSecond + float64(result.Invocations)*perInvocation,
		S3:            float64(result.S3Puts)*perPut + float64(result.S3Gets)*perGet,
	}
	return result
}

func remaining(all []*registry) (calls float64) {
	for _, r := range all {
		calls += r.calls
	}
	return calls
}

// know plays the first map and the barrier. It returns when the oldest scan began.
func (p *Parameters) know(result *Result) (oldest time.Duration) {
	const puts = 4 // three lists and the outcome object
	scan := seconds(float64(p.ScanCalls) * p.ScanLatency.Seconds() / float64(p.ScanConcurrency))
	each := p.Start + scan + puts*p.S3Latency
	slots := make(slots, min(p.Know, result.Places))
	for range result.Places {
		slots.take(func(time.Duration) time.Duration { return each })
	}
	begun := result.Duration
	result.Invocations += result.Places
	result.LambdaSeconds += float64(result.Places) * each.Seconds()
	result.ScanCalls += result.Places * p.ScanCalls
	result.S3Puts += result.Places * puts
	result.Transitions += result.Places * statesPerPlace
	result.Duration += slots.end() + p.read(result, result.Places)
	result.Knowing += result.Duration - begun
	return begun
}

// read plays a step that reads so many objects, and returns its time.
func (p *Parameters) read(result *Result, objects int) time.Duration {
	const atATime = 32
	took := p.Start + time.Duration(float64(objects)/atATime*float64(p.S3Latency))
	result.S3Gets += objects
	result.S3Puts += objects/1000 + 2
	result.LambdaSeconds += took.Seconds()
	return took
}

// act plays the second map, and returns the registries that need another cycle.
func (p *Parameters) act(result *Result, all []*registry, until time.Duration) (left []*registry) {
	slots := make(slots, min(p.Act, len(all)))
	for _, r := range all {
		slots.take(func(from time.Duration) time.Duration {
			took, done := p.run(result, r, from+result.Duration, until)
			if !done {
				left = append(left, r)
			}
			return took
		})
	}
	took := slots.end()
	result.Duration += took
	result.Acting += took
	return left
}

// run plays the runs for one registry in one cycle, and reports whether it is done.
func (p *Parameters) run(result *Result, r *registry, from, until time.Duration) (took time.Duration, done bool) {
	const reads, writes = 8, 3
	margin := min(30*time.Second, p.Timeout/10)
	result.Transitions += statesPerRegistry
	for {
		result.Transitions += statesPerRun
		result.Invocations++
		overhead := p.Start + (reads+writes)*p.S3Latency
		took += overhead
		result.LambdaSeconds += overhead.Seconds()
		result.S3Gets += reads
		if from+took >= until {
			return took, false // the lists are too old
		}
		if r.rounds == p.MaxRounds {
			r.failed = true
			return took, true
		}
		r.rounds++
		result.Runs++
		result.S3Puts += writes
		work := min(seconds(r.calls/p.rate()), p.Timeout-margin-overhead, until-from-took)
		calls := min(math.Ceil(work.Seconds()*p.rate()), r.calls)
		r.calls -= calls
		result.ECRCalls += int(calls)
		took += max(work, p.ECRLatency)
		result.LambdaSeconds += max(work, p.ECRLatency).Seconds()
		if r.calls < 1 {
			return took, true
		}
		r.calls += math.Ceil(float64(r.repositories) / 1000) // the next run lists the repositories again
	}
}

// slots are the times at which the children of a map are free.
type slots []time.Duration

func (s slots) take(run func(from time.Duration) time.Duration) {
	first := 0
	for i := range s {
		if s[i] < s[first] {
			first = i
		}
	}
	s[first] += run(s[first])
}

func (s slots) end() time.Duration { return slices.Max(s) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
