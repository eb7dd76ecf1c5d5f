// Command cleaner is the Lambda function that cleans an ECR registry: the
// bootstrap of a provided.al2023 function. It takes its configuration from the
// environment variable CLEANER_CONFIG and its request from the event; package
// function describes both.
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
		Now:           time.Now,
		RunID:         runID,
		Log:           function.NewLog(os.Stderr),
		FunctionName:  os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
	}
	lambda.StartHandlerFunc(handler.Handle)
}

// runID returns the id of the request and what tells this attempt from others:
// Lambda hands out a request again, with its id, after an error or a timeout, and
// sometimes without, at the same time even.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func runID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID + "." + strings.ToLower(rand.Text()[:8])
	}
	return ""
}
