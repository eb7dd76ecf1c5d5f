// Package services has the table of the services that the cleaner queries for images in
// use. It takes a name from protect.inUse and returns its in-use source.
//
// To add a service, add a package for it and a line to [Table]. Tests compare the table
// with the names in the configuration, template.yaml and the documentation.
package services

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/agentcore"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/apprunner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/batch"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/codebuild"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/ecs"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/eks"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/emrserverless"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/lambda"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/pinned"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/sagemaker"
)

// A Service is a line of the table.
type Service struct {
	Name      string // in protect.inUse
	New       func(query.Environment) inuse.Source
	Actions   []string // the IAM actions that the source needs
	Parameter string   // of template.yaml, which allows the actions
}

// Table has all services that this version can query.
var Table = []Service{
	{"ecs", ecs.New, slices.Concat(ecs.Actions, pinned.Actions), "InUseEcs"},
	{"lambda", lambda.New, lambda.Actions, "InUseLambda"},
	{"eks", eks.New, eks.Actions, "InUseEks"},
	{"apprunner", apprunner.New, apprunner.Actions, "InUseAppRunner"},
	{"batch", batch.New, batch.Actions, "InUseBatch"},
	{"bedrock-agentcore", agentcore.New, agentcore.Actions, "InUseBedrockAgentCore"},
	{"codebuild", codebuild.New, codebuild.Actions, "InUseCodeBuild"},
	{"emr-serverless", emrserverless.New, emrserverless.Actions, "InUseEmrServerless"},
	{"sagemaker", sagemaker.New, sagemaker.Actions, "InUseSageMaker"},
}

// New returns the source for a name of protect.inUse, all of which are in the table.
func New(name string, env query.Environment) inuse.Source {
	i := slices.IndexFunc(Table, func(s Service) bool { return s.Name == name })
	return Table[i].New(env)
}
