//go:build integration

package integration_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// store puts a configuration into S3 and into Systems Manager, also encrypted, with the
// AWS SDK for Python.
const store = `
import boto3, os, sys
text, long, where = sys.argv[1], sys.argv[2], {"endpoint_url": os.environ["AWS_ENDPOINT_URL"], "region_name": os.environ["AWS_REGION"]}
s3, ssm = boto3.client("s3", **where), boto3.client("ssm", **where)
s3.create_bucket(Bucket="settings", CreateBucketConfiguration={"LocationConstraint": where["region_name"]})
s3.put_object(Bucket="settings", Key="cleaner/night=1 +ü.json", Body=text.encode())
s3.put_object(Bucket="settings", Key="long.json", Body=b" " * int(long))
s3.put_object(Bucket="settings", Key="broken.json", Body=b'{\n "mode": "go"}')
ssm.put_parameter(Name="/cleaner/plain", Type="String", Value=text)
ssm.put_parameter(Name="/cleaner/secret", Type="SecureString", Value=text)
ssm.put_parameter(Name="/cleaner/broken", Type="String", Value='{\n "mode": "go"}')
`

// stored starts a server with the stored configuration and returns a registry of it.
func stored(t *testing.T, configuration string) *registry {
	t.Helper()
	on := startFaithful(t).registry("eu-west-1")
	cmd := exec.CommandContext(t.Context(), cmp.Or(os.Getenv("PYTHON"), "python3.11"), "-c", store, configuration, "1048577")
	cmd.Env = on.environment("PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return on
}

// sources are the locations of the configuration.
var sources = []string{"s3://settings/cleaner/night=1 +ü.json", "ssm:/cleaner/plain", "ssm:/cleaner/secret"}

func TestConfigurationIsReadFromS3AndSystemsManager(t *testing.T) {
	t.Parallel()
	on := stored(t, `{"protect": {"inUse": [], "keepNewest": 0}, "policies": [{"name": "stored", "policy": `+keepNewest(1)+`}]}`)
	for name, run := range programs {
		for _, source := range sources {
			repository := name + "/" + strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' {
					return r
				}
				return -1
			}, source)
			on.create(t, repository, "")
			on.push(t, repository, image{name: "1", tags: []string{"v1"}, days: 40})
			on.push(t, repository, image{name: "2", tags: []string{"v2"}, days: 30})
			got := run(t, on, request{mode: "apply", configuration: source, repositories: []string{repository}}, true)
			awstest.Equal(t, name+" with "+source+": deleted images", 1, got.Totals.Deleted)
			on.wantLeft(t, repository, "v2")
		}
	}
	for _, source := range sources {
		awstest.Equal(t, "output of check", source+": ok\n", string(on.tool(t, 0, "check", "--config", source)))
	}
}

// An unreadable configuration ends a run before any call of ECR.
func TestConfigurationThatCannotBeRead(t *testing.T) {
	t.Parallel()
	on := stored(t, `{}`)
	for source, want := range map[string]string{
		"s3://settings/none":        "read configuration: get s3://settings/none: there is no such object or bucket",
		"s3://nowhere/none":         "read configuration: get s3://nowhere/none: there is no such object or bucket",
		"s3://settings/long.json":   "configuration s3://settings/long.json: 1:1: has more than 1048576 bytes",
		"s3://settings/broken.json": "configuration s3://settings/broken.json: 2:10: mode: ",
		"ssm:/cleaner/none":         "read configuration: get parameter /cleaner/none: there is no such parameter in this Region",
		"ssm:/cleaner/broken":       "configuration ssm:/cleaner/broken: 2:10: mode: ",
	} {
		on.tool(t, 2, "apply", "--yes", "--config", source)
		var failed struct{ ErrorType, ErrorMessage string }
		awstest.NoError(t, json.Unmarshal(on.invoke(t, `{"mode": "apply"}`, "CLEANER_CONFIG="+source), &failed))
		if failed.ErrorType != "ConfigurationError" || !strings.HasPrefix(failed.ErrorMessage, want) {
			t.Errorf("%s: the function ends with %+v, want %q", source, failed, want)
		}
	}
	awstest.Equal(t, "operations of ECR that were called", 0, len(on.calls(t)))
}

// nobody creates a user without permissions and prints its access key.
const nobody = `
import boto3, os
iam = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"])
iam.create_user(UserName="nobody")
key = iam.create_access_key(UserName="nobody")["AccessKey"]
print("AWS_ACCESS_KEY_ID=" + key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY=" + key["SecretAccessKey"])
`

func TestConfigurationThatIsDenied(t *testing.T) {
	t.Parallel()
	on := stored(t, `{}`)
	cmd := exec.CommandContext(t.Context(), cmp.Or(os.Getenv("PYTHON"), "python3.11"), "-c", nobody)
	cmd.Env = on.environment("PYTHONDONTWRITEBYTECODE=1")
	key, err := cmd.Output()
	awstest.NoError(t, err)
	on.control(t, "/moto-api/reset-auth", 0) // from now on the server asks who may do what
	for _, source := range sources {
		action := map[bool]string{true: "s3:GetObject", false: "ssm:GetParameter"}[strings.HasPrefix(source, "s3:")]
		want := "access denied; allow the action " + action + " on it"
		tool := exec.CommandContext(t.Context(), filepath.Join(binaries, "ecrclean"), "apply", "--yes", "--config", source)
		tool.Env = on.environment(strings.Fields(string(key))...)
		if out, _ := tool.CombinedOutput(); tool.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), want) {
			t.Errorf("%s: the tool ends with %d, %s", source, tool.ProcessState.ExitCode(), out)
		}
		env := append(strings.Fields(string(key)), "CLEANER_CONFIG="+source)
		if out := string(on.invoke(t, `{"mode": "apply"}`, env...)); !strings.Contains(out, "ConfigurationError") || !strings.Contains(out, want) {
			t.Errorf("%s: the function answers %s", source, out)
		}
	}
	awstest.Equal(t, "operations of ECR that were called", 0, len(on.calls(t)))
}

func TestTagsOfRepositoriesSelect(t *testing.T) {
	t.Parallel()
	on := startFaithful(t).registry("eu-west-1")
	for name, run := range programs {
		for _, stage := range []string{"dev", "prod"} {
			repository := name + "/" + stage
			on.create(t, repository, "")
			on.push(t, repository, image{name: "1", tags: []string{"v1"}, days: 40})
			arn := "arn:aws:ecr:eu-west-1:" + account + ":repository/" + repository
			if _, err := on.client.TagResource(t.Context(), &ecr.TagResourceInput{
				ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("stage"), Value: &stage}, {Key: aws.String("owner"), Value: aws.String("")}},
			}); err != nil {
				t.Fatal(err)
			}
		}
		got := run(t, on, request{
			mode: "apply", repositories: []string{name + "/*"},
			configuration: `{"protect": {"inUse": [], "keepNewest": 0}, "policies": [
				{"repositoryTags": {"stage": "dev", "owner": ""}, "policy": ` + olderThan("any", 30) + `}, {"policy": "none"}]}`,
		}, true)
		awstest.Equal(t, name+": deleted images", 1, got.Totals.Deleted)
		awstest.Equal(t, name+": ListTagsForResource calls", 2, got.Calls["ListTagsForResource"])
		on.wantLeft(t, name+"/dev")
		on.wantLeft(t, name+"/prod", "v1")
	}
}
