// Command minimal is a Lambda function with only a handler and the ECR client, loaded like
// in AWS's examples. The benchmarks compare the start of the real function with its start.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	client := ecr.NewFromConfig(cfg)
	lambda.Start(func(ctx context.Context) (int, error) {
		out, err := client.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{})
		if err != nil {
			return 0, err
		}
		return len(out.Repositories), nil
	})
}
