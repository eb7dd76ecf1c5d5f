// Package execution finds other executions of the fleet's state machine that run. Only the one
// that began first may act.
package execution

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Action is the IAM action on the state machine.
const Action = "states:ListExecutions"

// Listings are eventually consistent. So an execution must be listed at most 10 times, and
// that nothing else runs must be in two listings.
const (
	listings = 10
	pause    = 2 * time.Second
)

var errNoMachine = errors.New("the environment variable CLEANER_STATE_MACHINE is empty; set it to the ARN of the state machine of deploy/fleet.yaml")

type running struct {
	Name      string
	StartDate float64 // in seconds
}

// Earlier returns the name of an execution that runs and began before the one with the name,
// or "". Of two that began at the same time, the smaller name is the earlier one.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
func Earlier(ctx context.Context, api awsclient.Service, machine, name string) (string, error) {
	if machine == "" {
		return "", errNoMachine
	}
	seen := 0
	for i := range listings {
		if i > 0 {
			if err := wait(ctx); err != nil {
				return "", err
			}
		}
		all, err := list(ctx, api, machine)
		if err != nil {
			return "", err
		}
		first, found := earliest(all, name)
		if found {
			seen++
		}
		if found && (first != "" || seen > 1) {
			return first, nil
		}
	}
	return "", fmt.Errorf("list executions of %s: execution %s is not among those that run; "+
		"check CLEANER_STATE_MACHINE, and start a new execution", machine, name)
}

// earliest returns the first execution unless it is the own one, and whether that was found.
func earliest(all []running, name string) (first string, found bool) {
	var own running
	for _, e := range all {
		if e.Name == name {
			own, found = e, true
		}
	}
	least := own
	for _, e := range all {
		if e.StartDate < least.StartDate || e.StartDate == least.StartDate && e.Name < least.Name {
			least = e
		}
	}
	if least == own {
		return "", found
	}
	return least.Name, found
}

func list(ctx context.Context, api awsclient.Service, machine string) ([]running, error) {
	type input struct {
		StateMachineArn string  `json:"stateMachineArn"`
		StatusFilter    string  `json:"statusFilter"`
		NextToken       *string `json:"nextToken,omitempty"`
	}
	type page struct {
		Executions []running
		NextToken  *string
	}
	all, err := query.List(func(token *string) (out page, err error) {
		err = api.Post(ctx, "AWSStepFunctions.ListExecutions", "1.0", input{machine, "RUNNING", token}, &out)
		return out, err
	}, func(p page) ([]running, *string) { return p.Executions, p.NextToken })
	doing := "list executions of " + machine
	if _, denied := query.Denied(err); denied {
		return nil, fmt.Errorf("%s: %w; allow the action %s to the function", doing, err, Action)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; start a new execution", doing, err)
	}
	for _, e := range all {
		if e.Name == "" || e.StartDate == 0 {
			return nil, fmt.Errorf("%s: the answer has an execution without a name or a start; check the endpoint", doing)
		}
	}
	return all, nil
}

func wait(ctx context.Context) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
