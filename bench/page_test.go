package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// BenchmarkPage reads a page of 1,000 images with the client of the function and with the
// plain SDK. Run it with -cpu 1, so that the time is processor time including garbage
// collection.
func BenchmarkPage(b *testing.B) {
	name := bench.Repository(0)
	registry := bench.NewServer(bench.Size{Repositories: 1, Images: 1000}, 0, noon)
	page := send(registry, "DescribeImages", fmt.Sprintf(`{"repositoryName": %q, "maxResults": 1000}`, name))
	cfg := awstest.Offline(awstest.Answer(string(page)))
	cfg.Retryer, cfg.APIOptions = nil, nil // the SDK as it is
	ours, sdk := function.Connect(cfg, time.Now).Reader, ecr.NewFromConfig(cfg)
	for path, list := range map[string]func(context.Context) (int, error){
		"client": func(ctx context.Context) (n int, err error) {
			for page, err := range ours.Images(ctx, name) {
				if err != nil {
					return n, err
				}
				n += len(page)
			}
			return n, nil
		},
		"sdk": func(ctx context.Context) (int, error) {
			out, err := sdk.DescribeImages(ctx, &ecr.DescribeImagesInput{
				RepositoryName: &name, MaxResults: aws.Int32(1000),
				Filter: &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny},
			})
			if err != nil {
				return 0, err
			}
			return len(out.ImageDetails), nil
		},
	} {
		b.Run("path="+path, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := list(b.Context()); n != 1000 || err != nil {
					b.Fatalf("%d images, %v", n, err)
				}
			}
		})
	}
}
