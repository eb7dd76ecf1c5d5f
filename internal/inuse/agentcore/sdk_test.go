package agentcore_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagentcorecontrol"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagentcorecontrol/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// The SDK's client sends the same requests, and reads the same images from the answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	s := busy()
	s.Page = 1
	ours, theirs := &inusetest.Requests{Handler: s}, &inusetest.Requests{Handler: s}
	got, err := inusetest.Uses(t, newSource(inusetest.Config(t, ours)))
	awstest.NoError(t, err)
	c := &sdk{t, bedrockagentcorecontrol.NewFromConfig(inusetest.Config(t, theirs)), nil}
	c.agentRuntimes()
	c.harnesses()
	slices.Sort(c.found)
	slices.Sort(got)
	awstest.Equal(t, "uses", c.found, got)
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

// An sdk makes the calls of the source with the SDK's client.
type sdk struct {
	*testing.T
	client *bedrockagentcorecontrol.Client
	found  []string
}

func (s *sdk) add(image, by *string) {
	s.found = append(s.found, strings.TrimPrefix(*image, registry)+" "+*by)
}

func (s *sdk) agentRuntimes() {
	all := bedrockagentcorecontrol.NewListAgentRuntimesPaginator(s.client,
		&bedrockagentcorecontrol.ListAgentRuntimesInput{MaxResults: aws.Int32(100)})
	for all.HasMorePages() {
		page, err := all.NextPage(s.Context())
		awstest.NoError(s, err)
		versions := bedrockagentcorecontrol.NewListAgentRuntimeVersionsPaginator(s.client,
			&bedrockagentcorecontrol.ListAgentRuntimeVersionsInput{AgentRuntimeId: page.AgentRuntimes[0].AgentRuntimeId, MaxResults: aws.Int32(100)})
		for versions.HasMorePages() {
			page, err := versions.NextPage(s.Context())
			awstest.NoError(s, err)
			version := page.AgentRuntimes[0]
			out, err := s.client.GetAgentRuntime(s.Context(), &bedrockagentcorecontrol.GetAgentRuntimeInput{
				AgentRuntimeId: version.AgentRuntimeId, AgentRuntimeVersion: version.AgentRuntimeVersion,
			})
			awstest.NoError(s, err)
			if artifact, is := out.AgentRuntimeArtifact.(*types.AgentRuntimeArtifactMemberContainerConfiguration); is {
				s.add(artifact.Value.ContainerUri, version.AgentRuntimeArn)
			}
		}
	}
}

func (s *sdk) harnesses() {
	all := bedrockagentcorecontrol.NewListHarnessesPaginator(s.client, &bedrockagentcorecontrol.ListHarnessesInput{MaxResults: aws.Int32(100)})
	for all.HasMorePages() {
		page, err := all.NextPage(s.Context())
		awstest.NoError(s, err)
		versions := bedrockagentcorecontrol.NewListHarnessVersionsPaginator(s.client,
			&bedrockagentcorecontrol.ListHarnessVersionsInput{HarnessId: page.Harnesses[0].HarnessId, MaxResults: aws.Int32(100)})
		for versions.HasMorePages() {
			page, err := versions.NextPage(s.Context())
			awstest.NoError(s, err)
			version := page.HarnessVersions[0]
			out, err := s.client.GetHarness(s.Context(), &bedrockagentcorecontrol.GetHarnessInput{
				HarnessId: version.HarnessId, HarnessVersion: version.HarnessVersion,
			})
			awstest.NoError(s, err)
			if artifact, is := out.Harness.EnvironmentArtifact.(*types.HarnessEnvironmentArtifactMemberContainerConfiguration); is {
				s.add(artifact.Value.ContainerUri, version.Arn)
			}
		}
	}
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "BEDROCK_AGENTCORE_CONTROL", func(_ context.Context, cfg aws.Config) error {
		_, err := inusetest.Uses(t, newSource(cfg)) //nolint:contextcheck // it takes the context of the test
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := bedrockagentcorecontrol.NewFromConfig(cfg).ListAgentRuntimes(ctx,
			&bedrockagentcorecontrol.ListAgentRuntimesInput{MaxResults: aws.Int32(100)})
		return err
	})
}
