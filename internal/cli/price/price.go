// Package price has the price of storage in Amazon ECR by Region. It is a constant with a
// date, because asking AWS would need another permission.
package price

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// Date is when the prices here were last compared with those that AWS publishes at
// https://aws.amazon.com/ecr/pricing/.
const Date = "2026-03-22"

// standard is the price in USD of a GB-month in a private repository. AWS publishes one price
// for its Regions outside GovCloud, China and the isolated partitions.
//
// The first 150 TB of archived images have the same price, so archiving saves nothing below.
const standard = 0.10

// areas are the beginnings of the names of these Regions.
var areas = []string{"af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-"}

// PerGBMonth returns the price in USD of storing a gigabyte for a month in a private
// repository of the Region. It reports false if the price is not known.
func PerGBMonth(region string) (usd float64, known bool) {
	within := func(area string) bool { return strings.HasPrefix(region, area) }
	ordinary := strings.HasSuffix(reference.Domain(region), ".amazonaws.com") && !strings.HasPrefix(region, "us-gov-")
	return standard, ordinary && slices.ContainsFunc(areas, within)
}
