// Package accounts plays the accounts and Regions around a registry for measurements: STS,
// and the services that an in-use scan queries in each of them. Everything in them follows
// from numbers, so that a measurement knows which images are in use and which sources fail.
package accounts

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

// A Scale has the size of a registry with small repositories, and the number of accounts.
type Scale struct {
	bench.Size
	Accounts int // in addition to the registry's
	Regions  int // of each account: the registry's and up to three others
	// Denied is the number of accounts whose role cannot be assumed. In as many others the
	// role may not list Lambda's functions.
	Denied    int
	Throttled int // per cent of the calls, of those to ECR none
}

// The account and the Region of the registry.
const (
	RegistryAccount = "123456789012"
	Region          = "eu-west-1"
)

var regions = []string{Region, "us-east-1", "eu-central-1", "ap-southeast-2"}

// Places returns the number of accounts and Regions other than the registry's.
func (s Scale) Places() int { return s.Accounts * s.Regions }

func account(i int) string { return fmt.Sprintf("2%011d", i) }

func roleARN(account string) string { return "arn:aws:iam::" + account + ":role/ecr-cleaner-member" }

const externalID = "external"

// deniesRole and deniesLambda report whether an account denies its role, or calls of Lambda.
func (s Scale) deniesRole(account string) bool   { return s.isAmong(account, 0) }
func (s Scale) deniesLambda(account string) bool { return s.isAmong(account, s.Denied) }

func (s Scale) isAmong(id string, first int) bool {
	return account(first) <= id && id < account(min(first+s.Denied, s.Accounts))
}

func (s Scale) isDenied(account string) bool { return s.deniesRole(account) || s.deniesLambda(account) }

// Failed returns the names of the sources that fail if the services are queried.
func (s Scale) Failed(services ...string) []string {
	var failed []string
	for i := range s.Accounts {
		for _, service := range services {
			if s.deniesRole(account(i)) || s.deniesLambda(account(i)) && service == "lambda" {
				for _, region := range regions[:s.Regions] {
					failed = append(failed, service+"@"+account(i)+"/"+region)
				}
			}
		}
	}
	slices.Sort(failed)
	return failed
}

// Services are all in-use sources. Only ECS and Lambda have something in the accounts.
var Services = []string{
	"ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless",
}

// Configuration is [bench.Configuration] with the services as in-use sources in the
// registry's account and Region, and in all other accounts and Regions.
func (s Scale) Configuration(policy string, services ...string) string {
	type object = map[string]any
	var others []object
	for i := range s.Accounts {
		others = append(others, object{"roleArn": roleARN(account(i)), "externalId": externalID, "regions": regions[:s.Regions]})
	}
	protect, err := json.Marshal(object{"inUse": services, "accounts": others})
	if err != nil {
		panic("accounts: " + err.Error())
	}
	return strings.Replace(bench.Configuration(policy), `{"inUse": []}`, string(protect), 1)
}

// isShared reports whether a denied account may pull from the repository at that index. It
// is a small repository, and its policy admits every account.
func (s Scale) isShared(repository int) bool {
	return repository >= s.Repositories && repository%4 == 3
}

// shared returns the indexes of the shared repositories.
func (s Scale) shared() []int {
	var shared []int
	for r := range s.All() {
		if s.isShared(r) {
			shared = append(shared, r)
		}
	}
	return shared
}

// policyOf returns the policy of a repository. It admits all accounts that use its images.
func (s Scale) policyOf(repository int) string {
	if s.isShared(repository) {
		return policyFor([]string{"*"})
	}
	var admitted []string
	for i := range s.Accounts {
		if !s.isDenied(account(i)) {
			admitted = append(admitted, account(i))
		}
	}
	return policyFor(admitted)
}

func policyFor(principals []string) string {
	text, err := json.Marshal(principals)
	if err != nil {
		panic("accounts: " + err.Error())
	}
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": %s}, `+
		`"Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]}`, text)
}

// hash returns a number that follows from the values.
func hash(values ...any) int {
	h := fnv.New64a()
	for _, value := range values {
		_, _ = fmt.Fprintln(h, value) // a hash accepts everything
	}
	return int((h.Sum64() ^ h.Sum64()>>29) % 1_000_000_007)
}
