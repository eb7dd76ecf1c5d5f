// Command cleaner is the Lambda function that cleans an ECR registry: the
// bootstrap of a provided.al2023 function. It takes its configuration from the
// environment variable CLEANER_CONFIG and its request from the event; package
// function describes both.
package main

import (
	"context"
	"os"
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
		RunID:         requestID,
		Log:           function.NewLog(os.Stderr),
	}
	lambda.StartHandlerFunc(handler.Handle)
}

func requestID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}
