package price_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/price"
)

func TestThePriceIsKnownInMostRegions(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]bool{
		"eu-west-1": true, "us-east-1": true, "mx-central-1": true,
		"cn-north-1": false, "us-gov-west-1": false, "us-iso-east-1": false, "eusc-de-east-1": false, "eu-isoe-west-1": false, "": false, "here": false,
	} {
		if _, known := price.PerGBMonth(region); known != want {
			t.Errorf("the price in %q is known: %v, want %v", region, known, want)
		}
	}
}
