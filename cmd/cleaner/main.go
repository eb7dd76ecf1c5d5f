// Command cleaner is the Lambda function that cleans an ECR registry, as the bootstrap of
// the runtime provided.al2023. The environment variable CLEANER_CONFIG names the
// configuration, and the event has the request. Package function describes both.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func main() {
	limitMemory(os.Getenv)
	handler := function.Handler{
		Configuration: os.Getenv("CLEANER_CONFIG"),
		Read:          function.SourceReader("", "", time.Now),
		Connect:       function.Connector(os.Getenv)("", "", time.Now),
		Assume:        function.Assumer(os.Getenv)("", "", time.Now),
		Now:           time.Now,
		RunID:         runID,
		Log:           function.NewLog(os.Stderr),
		FunctionName:  os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
	}
	if prefix := os.Getenv("CLEANER_FLEET"); prefix != "" {
		handler.Fleet = fleetAt(prefix, os.Getenv("CLEANER_STATE_MACHINE"), handler.Connect, handler.Now)
	}
	lambda.StartHandlerFunc(handler.Answer)
}

// runID returns the id of the request with a random suffix, because Lambda may deliver a
// request more than once, even at the same time.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func runID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID + "." + strings.ToLower(rand.Text()[:8])
	}
	return ""
}
