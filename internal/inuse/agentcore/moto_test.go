//go:build integration

package agentcore_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagentcorecontrol"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagentcorecontrol/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// Moto has agent runtimes and no harnesses.
func TestMoto(t *testing.T) {
	cfg := inusetest.ConfigFor(inusetest.Moto(t))
	client := bedrockagentcorecontrol.NewFromConfig(cfg)
	network := &types.NetworkConfiguration{NetworkMode: types.NetworkModePublic}
	for _, name := range []string{"one", "gone"} {
		made, err := client.CreateAgentRuntime(t.Context(), &bedrockagentcorecontrol.CreateAgentRuntimeInput{
			AgentRuntimeName: &name, RoleArn: aws.String("arn:aws:iam::123456789012:role/agent"), NetworkConfiguration: network,
			AgentRuntimeArtifact: &types.AgentRuntimeArtifactMemberContainerConfiguration{
				Value: types.ContainerConfiguration{ContainerUri: aws.String(registry + "agent:" + name)},
			},
		})
		awstest.NoError(t, err)
		if name == "gone" {
			_, err = client.DeleteAgentRuntime(t.Context(), &bedrockagentcorecontrol.DeleteAgentRuntimeInput{AgentRuntimeId: made.AgentRuntimeId})
			awstest.NoError(t, err)
		}
	}
	got, err := inusetest.Uses(t, newSource(inusetest.Instead(cfg, "/harnesses", `{"harnesses": []}`)))
	awstest.NoError(t, err)
	if len(got) != 1 || !strings.HasPrefix(got[0], "agent:one arn:aws:bedrock-agentcore:") {
		t.Errorf("uses %q", got)
	}
}
