package fakeecr_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

func Example() {
	registry := fakeecr.New()
	registry.CreateRepository("app")
	registry.Put("app", fakeecr.Image{Tags: []string{"v1"}})
	server := httptest.NewServer(registry)
	defer server.Close()

	client := ecr.New(ecr.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	out, err := client.DescribeImages(context.Background(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, image := range out.ImageDetails {
		fmt.Println(image.ImageTags, image.ImageStatus)
	}
	// Output: [v1] ACTIVE
}
