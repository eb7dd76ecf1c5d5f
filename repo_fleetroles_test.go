package repo_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/execution"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/organization"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// scalars has the texts in a value of a template, without the functions around them.
type scalars []string

func (s *scalars) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*s = append(*s, node.Value)
	}
	for _, child := range node.Content {
		if err := s.UnmarshalYAML(child); err != nil {
			return err
		}
	}
	return nil
}

// A permission is a statement of a policy.
type permission struct {
	Effect    string                        `yaml:"Effect"`
	Principal any                           `yaml:"Principal"`
	Action    scalars                       `yaml:"Action"`
	Resource  scalars                       `yaml:"Resource"`
	Condition map[string]map[string]scalars `yaml:"Condition"`
}

// permissions has all statements in a value of a template, whatever functions are around them.
type permissions []permission

func (all *permissions) UnmarshalYAML(node *yaml.Node) error {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && child.Value == "Effect" {
			var p permission
			err := node.Decode(&p)
			*all = append(*all, p)
			return err
		}
		if err := all.UnmarshalYAML(child); err != nil {
			return err
		}
	}
	return nil
}

type iamResource struct {
	Type       string `yaml:"Type"`
	Condition  string `yaml:"Condition"`
	Properties struct {
		Roles    scalars     `yaml:"Roles"`
		Trust    permissions `yaml:"AssumeRolePolicyDocument"`
		Policy   permissions `yaml:"PolicyDocument"`
		Policies permissions `yaml:"Policies"`
	} `yaml:"Properties"`
}

// iam returns the roles and policies of a template.
func iam(t *testing.T, name string) map[string]iamResource {
	t.Helper()
	var template struct {
		Resources map[string]yaml.Node `yaml:"Resources"`
	}
	awstest.NoError(t, yaml.Unmarshal([]byte(read(t, name)), &template))
	found := map[string]iamResource{}
	for name, node := range template.Resources {
		var typed struct {
			Type string `yaml:"Type"`
		}
		awstest.NoError(t, node.Decode(&typed))
		if strings.HasPrefix(typed.Type, "AWS::IAM::") {
			var r iamResource
			awstest.NoError(t, node.Decode(&r))
			found[name] = r
		}
	}
	return found
}

// granted returns each action that a role of a template has in some mode, and the resources.
func granted(t *testing.T, name, role string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for resource, r := range iam(t, name) {
		if resource != role && !slices.Contains(r.Properties.Roles, role) {
			continue
		}
		for _, p := range slices.Concat(r.Properties.Policy, r.Properties.Policies) {
			for _, action := range p.Action {
				found[action] = append(found[action], p.Resource...)
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s gives the role %s no permission", name, role)
	}
	return found
}

func sortedKeys(m map[string][]string) []string { return slices.Sorted(maps.Keys(m)) }

func sorted(lists ...[]string) []string { return slices.Sorted(slices.Values(slices.Concat(lists...))) }

// actionsOfPolicy returns the actions of a policy in template.yaml. The test of that template
// compares them with the code.
func actionsOfPolicy(t *testing.T, name string) []string {
	t.Helper()
	_, text, _ := strings.Cut(read(t, "template.yaml"), "PolicyName: "+name+"\n")
	text, _, _ = strings.Cut(text, "PolicyName:")
	text, _, _ = strings.Cut(text, "\n\n")
	found := regexp.MustCompile(`\b[a-z]+:[A-Z]\w+`).FindAllString(text, -1)
	if len(found) == 0 {
		t.Fatalf("template.yaml has no policy %s", name)
	}
	return found
}

func TestTheRolesOfAnAccountAllowWhatTheFleetCalls(t *testing.T) {
	t.Parallel()
	const name = "deploy/fleet-member.yaml"
	reads := slices.Concat(actionsOfPolicy(t, "read-repositories"), actionsOfPolicy(t, "read-repository-tags"))
	asked := []string{organization.RegionsAction}
	for _, service := range services.Table {
		asked = append(asked, service.Actions...)
	}
	awstest.Equal(t, "reader", sorted(reads, asked), sortedKeys(granted(t, name, "ReaderRole")))
	awstest.Equal(t, "remover", sorted(reads, actionsOfPolicy(t, "remove-images")), sortedKeys(granted(t, name, "RemoverRole")))
	awstest.Equal(t, "removing", []string{"ecr:BatchDeleteImage", "ecr:UpdateImageStorageClass"}, sorted(actionsOfPolicy(t, "remove-images")))
}

func TestTheOrganizationsRoleAllowsWhatTheFleetCalls(t *testing.T) {
	t.Parallel()
	awstest.Equal(t, "actions", sorted(organization.Actions), sortedKeys(granted(t, "deploy/fleet-organization.yaml", "OrganizationRole")))
}

// The function has no permission of ECR, and for S3 only the objects of executions, and those
// that a parameter names.
func TestTheFleetsFunctionMayOnlyAssumeRolesAndKeepObjects(t *testing.T) {
	t.Parallel()
	const machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}"
	got := granted(t, "deploy/fleet.yaml", "CleanerRole")
	for _, resources := range got {
		slices.Sort(resources)
	}
	awstest.Equal(t, "permissions", map[string][]string{
		"logs:CreateLogStream": {"CleanerLogGroup.Arn"},
		"logs:PutLogEvents":    {"CleanerLogGroup.Arn"},
		"s3:GetObject": {
			"${Bucket.Arn}/fleet/*", "ConfigurationObjectArn", "ReferenceListArns",
			"arn:${AWS::Partition}:s3:::${ReferenceListBucket}/${ReferenceListPrefix}*",
		},
		"s3:ListBucket":    {"Bucket.Arn", "arn:${AWS::Partition}:s3:::${ReferenceListBucket}"},
		"s3:PutObject":     {"${Bucket.Arn}/fleet/*"},
		"ssm:GetParameter": {"ConfigurationParameterArn"},
		"kms:Decrypt":      {"ConfigurationKeyArn", "ReferenceListKeyArn"},
		"sts:AssumeRole":   {"MemberRoleArns", "OrganizationRoleArn", "ReaderRoleArns", "RemoverRoleArns"},
		execution.Action:   {machine},
		// In a VPC only, as in template.yaml.
		"ec2:AssignPrivateIpAddresses":   {networkInterfaces},
		"ec2:CreateNetworkInterface":     {networkInterfaces},
		"ec2:DeleteNetworkInterface":     {networkInterfaces},
		"ec2:DescribeNetworkInterfaces":  {"*"},
		"ec2:DescribeSubnets":            {"*"},
		"ec2:UnassignPrivateIpAddresses": {networkInterfaces},
	}, got)
}

const networkInterfaces = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*"

// AWS documents these permissions for an item reader of one object, a result writer and
// children, for a function, and for logs.
// https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
// https://docs.aws.amazon.com/step-functions/latest/dg/lambda-iam.html
// https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
func TestTheStateMachineMayRunItsMaps(t *testing.T) {
	t.Parallel()
	const arn = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:"
	children := []string{arn + "execution:${AWS::StackName}:*", arn + "execution:${AWS::StackName}/*"}
	results := []string{"${Bucket.Arn}/fleet/*/maps/*"}
	want := map[string][]string{
		"lambda:InvokeFunction":       {"CleanerFunction.Arn"},
		"s3:AbortMultipartUpload":     results,
		"s3:GetObject":                {"${Bucket.Arn}/fleet/*/items/*", results[0]},
		"s3:ListMultipartUploadParts": results,
		"s3:PutObject":                results,
		"states:DescribeExecution":    children,
		"states:StartExecution":       {arn + "stateMachine:${AWS::StackName}"},
		"states:StopExecution":        children,
	}
	for _, action := range []string{
		"CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies",
		"GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery",
	} {
		want["logs:"+action] = []string{"*"}
	}
	awstest.Equal(t, "state machine", want, granted(t, "deploy/fleet.yaml", "StateMachineRole"))
	awstest.Equal(t, "scheduler", map[string][]string{
		"states:StartExecution": {"FleetStateMachine"},
		"sqs:SendMessage":       {"DeadLetterQueue.Arn"},
	}, granted(t, "deploy/fleet.yaml", "SchedulerRole"))
}

// A role that trusts anyone else, or without a condition, lets others use its permissions.
func TestEachRoleOfTheFleetTrustsOnePrincipal(t *testing.T) {
	t.Parallel()
	const external = "StringEquals sts:ExternalId"
	want := map[string][]string{ // the principal, and the keys of the conditions
		"ReaderRole": {"AWS", "CleanerRoleArn", external}, "RemoverRole": {"AWS", "CleanerRoleArn", external},
		"OrganizationRole": {"AWS", "CleanerRoleArn", external},
		"CleanerRole":      {"Service", "lambda.amazonaws.com"},
		"StateMachineRole": {"Service", "states.amazonaws.com", "ArnLike aws:SourceArn", "StringEquals aws:SourceAccount"},
		"SchedulerRole":    {"Service", "scheduler.amazonaws.com", "ArnEquals aws:SourceArn", "StringEquals aws:SourceAccount"},
	}
	got := map[string][]string{}
	for _, name := range []string{"deploy/fleet.yaml", "deploy/fleet-member.yaml", "deploy/fleet-organization.yaml"} {
		for role, r := range iam(t, name) {
			if r.Type != "AWS::IAM::Role" {
				continue
			}
			for _, s := range r.Properties.Trust {
				awstest.Equal(t, role, scalars{"sts:AssumeRole"}, s.Action)
				principals, _ := s.Principal.(map[string]any)
				for kind, principal := range principals {
					text, _ := principal.(string)
					got[role] = append(got[role], kind, text)
				}
				var keys []string
				for operator, condition := range s.Condition {
					for key, values := range condition {
						if keys = append(keys, operator+" "+key); slices.Contains(values, "*") {
							t.Errorf("%s trusts any %s", role, key)
						}
					}
				}
				got[role] = append(got[role], sorted(keys)...)
			}
		}
	}
	awstest.Equal(t, "trust", want, got)
}

// With mode plan there is no role that removes, and no permission to assume one.
func TestTheFleetRemovesOnlyWithModeApply(t *testing.T) {
	t.Parallel()
	member, fleet := iam(t, "deploy/fleet-member.yaml"), iam(t, "deploy/fleet.yaml")
	awstest.Equal(t, "conditions", []string{"MayRemove", "MayRemove", "AssumesRemoverRoles"},
		[]string{member["RemoverRole"].Condition, member["RemovalPolicy"].Condition, fleet["RemoverRolePolicy"].Condition})
	for name, r := range fleet {
		for _, s := range r.Properties.Policy {
			if slices.Contains(s.Resource, "RemoverRoleArns") != (name == "RemoverRolePolicy") {
				t.Errorf("%s allows %v on %v", name, s.Action, s.Resource)
			}
		}
	}
	for _, name := range []string{"deploy/fleet-member.yaml", "deploy/fleet.yaml"} {
		if !strings.Contains(read(t, name), "\n  MayRemove: !Equals [!Ref Mode, apply]\n") {
			t.Errorf("%s has no condition MayRemove on mode apply", name)
		}
	}
}
