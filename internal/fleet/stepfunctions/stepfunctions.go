// Package stepfunctions calls AWS Step Functions for the executions of the fleet's state machine.
// It starts, lists and describes them.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html
package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// The statuses of an execution that the fleet tells apart. All others but Running are ends.
const (
	Running   = "RUNNING"
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
)

// A Client calls Step Functions.
type Client struct{ awsclient.Service }

// New returns a client. Step Functions answers in the Region of cfg.
func New(cfg aws.Config, clock func() time.Time) Client {
	return Client{awsclient.Service{Config: cfg, Name: "states", SDKID: "SFN", Clock: clock}}
}

// An Execution is one of a state machine. A listed one has neither Output nor Error nor Cause.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
type Execution struct {
	ExecutionArn, StateMachineArn, Name, Status string
	StartDate, StopDate                         Seconds
	Output, Error, Cause                        string
}

// Seconds is a time as the API has it, in seconds since 1970.
type Seconds float64

// Time returns the time, to the microsecond.
func (s Seconds) Time() time.Time { return time.UnixMicro(int64(math.Round(float64(s) * 1e6))).UTC() }

// A MapRun is a Distributed Map of an execution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
type MapRun struct {
	MapRunArn, Status string
	StartDate         Seconds
	ItemCounts        Items
}

// Items counts the items of a map by the status of their children.
type Items struct{ Pending, Running, Succeeded, Failed, TimedOut, Aborted, Total int }

// Label returns the label of the map's state, or "" if the ARN has none. The ARN is
// arn:…:mapRun:MACHINE/LABEL:ID.
func (m MapRun) Label() string {
	_, label, _ := strings.Cut(m.MapRunArn, "/")
	label, _, _ = strings.Cut(label, ":")
	return label
}

type input struct {
	StateMachineArn string `json:"stateMachineArn,omitempty"`
	ExecutionArn    string `json:"executionArn,omitempty"`
	MapRunArn       string `json:"mapRunArn,omitempty"`
	StatusFilter    string `json:"statusFilter,omitempty"`
	Name            string `json:"name,omitempty"`
	Input           string `json:"input,omitempty"`
	MaxResults      int    `json:"maxResults,omitempty"`
	NextToken       string `json:"nextToken,omitempty"`
}

// Executions returns the executions of a state machine with the status, or all if it is "",
// the newest first. It returns at least most of them if there are as many; 0 is all.
func (c Client) Executions(ctx context.Context, stateMachineARN, status string, most int) ([]Execution, error) {
	var all []Execution
	in := input{StateMachineArn: stateMachineARN, StatusFilter: status, MaxResults: most}
	err := pages(&in, func() (string, error) {
		var page struct {
			Executions []Execution
			NextToken  string
		}
		err := c.post(ctx, "ListExecutions", in, &page)
		if err == nil && page.Executions == nil {
			err = errors.New("the answer has no executions")
		}
		all = append(all, page.Executions...)
		if most > 0 && len(all) >= most {
			page.NextToken = ""
		}
		return page.NextToken, err
	})
	return all, failed("list executions of "+stateMachineARN, err)
}

// Start starts an execution and returns its ARN. An empty name lets Step Functions choose one.
func (c Client) Start(ctx context.Context, stateMachineARN, name, request string) (string, error) {
	var started struct{ ExecutionArn string }
	err := c.post(ctx, "StartExecution", input{StateMachineArn: stateMachineARN, Name: name, Input: request}, &started)
	return started.ExecutionArn, failed("start an execution of "+stateMachineARN, err)
}

// Describe returns an execution with its output or cause.
func (c Client) Describe(ctx context.Context, executionARN string) (Execution, error) {
	var e Execution
	err := c.post(ctx, "DescribeExecution", input{ExecutionArn: executionARN}, &e)
	if err == nil && e.Status == "" {
		err = errors.New("the answer has no status")
	}
	return e, failed("describe "+executionARN, err)
}

// MapRuns returns the Distributed Maps of an execution with their counts of items.
func (c Client) MapRuns(ctx context.Context, executionARN string) ([]MapRun, error) {
	var all []MapRun
	in := input{ExecutionArn: executionARN}
	err := pages(&in, func() (string, error) {
		var page struct {
			MapRuns   []MapRun
			NextToken string
		}
		err := c.post(ctx, "ListMapRuns", in, &page)
		if err == nil && page.MapRuns == nil {
			err = errors.New("the answer has no map runs")
		}
		all = append(all, page.MapRuns...)
		return page.NextToken, err
	})
	for i := range all {
		if err == nil {
			err = c.post(ctx, "DescribeMapRun", input{MapRunArn: all[i].MapRunArn}, &all[i])
		}
	}
	return all, failed("list map runs of "+executionARN, err)
}

// pages fetches pages until one has no token of the next.
func pages(in *input, fetch func() (next string, err error)) error {
	for {
		next, err := fetch()
		switch {
		case err != nil || next == "":
			return err
		case next == in.NextToken:
			return errors.New("the answer has the token of the page before")
		}
		in.NextToken = next
	}
}

func (c Client) post(ctx context.Context, operation string, in input, out any) error {
	return c.Post(ctx, "AWSStepFunctions."+operation, "1.0", in, out)
}

func failed(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
