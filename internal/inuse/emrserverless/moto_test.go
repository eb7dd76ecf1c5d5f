//go:build integration

package emrserverless_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/emrserverless"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// Moto has applications and job runs, and loses their images.
func TestMoto(t *testing.T) {
	cfg := inusetest.ConfigFor(inusetest.Moto(t))
	client := emrserverless.NewFromConfig(cfg)
	for _, name := range []string{"one", "two"} {
		_, err := client.CreateApplication(t.Context(), &emrserverless.CreateApplicationInput{
			Name: &name, ReleaseLabel: aws.String("emr-6.6.0"), Type: aws.String("SPARK"), ClientToken: &name,
		})
		awstest.NoError(t, err)
	}
	inusetest.WantUses(t, newSource(cfg))
}
