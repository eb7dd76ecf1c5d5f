// Package price has the price of storage in Amazon ECR by Region. It is a constant with a
// date, because asking AWS would need another permission.
package price

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// Date is the month of the newest texts that confirm the price which AWS publishes, without a
// Region, at https://aws.amazon.com/ecr/pricing/.
const Date = "2026-03"

// standard is the price in USD of a GB-month in a private repository. It is confirmed for
// us-east-1, us-west-2 and ap-northeast-1. The other Regions in areas are taken to have the
// same price. GovCloud, China and the isolated partitions have price lists of their own.
//
// The first 150 TB of archived images have the same price, so archiving saves nothing below.
const standard = 0.10

// areas are the beginnings of the names of the Regions that have the price.
var areas = []string{"af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-"}

// PerGBMonth returns the price in USD of storing a gigabyte for a month in a private
// repository of the Region. It reports false if the price is not known.
func PerGBMonth(region string) (usd float64, known bool) {
	within := func(area string) bool { return strings.HasPrefix(region, area) }
	ordinary := strings.HasSuffix(reference.Domain(region), ".amazonaws.com") && !strings.HasPrefix(region, "us-gov-")
	return standard, ordinary && slices.ContainsFunc(areas, within)
}
