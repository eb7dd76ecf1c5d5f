package awserror

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
)

// regions are the Regions of AWS in 2026. A newer one works, but is not suggested:
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json
var regions = strings.Fields(`
	us-east-1 us-east-2 us-west-1 us-west-2
	eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
	ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
	ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
	af-south-1 ca-central-1 ca-west-1 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1
	sa-east-1 sa-west-1 cn-north-1 cn-northwest-1 eusc-de-east-1 us-gov-east-1 us-gov-west-1`)

func known(region string) bool { return slices.Contains(regions, region) }

// didYouMean suggests the Region with the most similar name, if there is one, and says how
// to give it.
func didYouMean(region string) string {
	i := nearest.Index(strings.ReplaceAll(region, "_", "-"), regions)
	if i < 0 {
		return "; correct --region or AWS_REGION"
	}
	return "; did you mean " + regions[i] + "? Correct --region or AWS_REGION"
}
