// Command minimal is the least that a Lambda function for ECR can be: a handler
// and the ECR client, loaded as AWS's examples do it. The start of the real
// function is measured against its own.
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
