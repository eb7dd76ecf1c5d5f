//go:build integration

package integration_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// A site is a registry and what may use its images.
type site struct {
	*registry
	ecs    *ecs.Client
	lambda *lambda.Client
	// names are those of all images that were added, by digest.
	names map[string]string
}

func (m *moto) site(region string) *site {
	local := credentials.NewStaticCredentialsProvider("local", "local", "")
	return &site{
		registry: m.registry(region), names: map[string]string{},
		ecs: ecs.New(ecs.Options{
			Region: region, BaseEndpoint: &m.url, HTTPClient: bodyCopier{}, Credentials: local,
		}),
		lambda: lambda.New(lambda.Options{
			Region: region, BaseEndpoint: &m.url, HTTPClient: bodyCopier{}, Credentials: local,
		}),
	}
}

// done checks the error of a call whose answer does not matter.
func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// uri returns how those who use an image spell it: after the registry's host.
func (s *site) uri(image string) string {
	return account + ".dkr.ecr." + s.region + ".amazonaws.com/" + image
}

// add pushes an image that is 30 days old and returns its digest.
func (s *site) add(t *testing.T, repository string, im image) string {
	t.Helper()
	im.days = 30
	digest := s.push(t, repository, im)
	s.names[digest] = im.name
	return digest
}

// move gives the tag to another image. moto deletes an image with its last tag
// when that is given to another; ECR leaves it untagged.
func (s *site) move(t *testing.T, repository, tag, from, to string) {
	t.Helper()
	s.add(t, repository, image{name: to, tags: []string{tag}})
	s.add(t, repository, image{name: from})
}

func (s *site) cluster(t *testing.T, name string) {
	t.Helper()
	_, err := s.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: &name})
	done(t, err)
}

// define registers a revision of a task definition with one container and
// returns its ARN. Moto records for its tasks the digest that the image has
// then, or the one that is given.
func (s *site) define(t *testing.T, family, uri string, recorded ...string) string {
	t.Helper()
	container := ecstypes.ContainerDefinition{Name: aws.String("main"), Image: &uri, Memory: aws.Int32(512)}
	for _, digest := range recorded {
		container.Environment = []ecstypes.KeyValuePair{{Name: aws.String("X_DIGEST"), Value: &digest}}
	}
	out, err := s.ecs.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{container},
	})
	done(t, err)
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn)
}

func (s *site) deregister(t *testing.T, definition string) {
	t.Helper()
	_, err := s.ecs.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &definition})
	done(t, err)
}

// run starts a task and returns its ARN.
func (s *site) run(t *testing.T, cluster, definition string) string {
	t.Helper()
	out, err := s.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
		Cluster: &cluster, TaskDefinition: &definition, LaunchType: ecstypes.LaunchTypeFargate, Count: aws.Int32(1),
	})
	done(t, err)
	if len(out.Tasks) != 1 {
		t.Fatalf("%d tasks run", len(out.Tasks))
	}
	return aws.ToString(out.Tasks[0].TaskArn)
}

func (s *site) stop(t *testing.T, cluster, task string) {
	t.Helper()
	_, err := s.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: &cluster, Task: &task})
	done(t, err)
}

// serve creates a service that runs nothing and returns its ARN.
func (s *site) serve(t *testing.T, cluster, name, definition string) string {
	t.Helper()
	out, err := s.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		Cluster: &cluster, ServiceName: &name, TaskDefinition: &definition, DesiredCount: aws.Int32(0), LaunchType: ecstypes.LaunchTypeFargate,
	})
	done(t, err)
	return aws.ToString(out.Service.ServiceArn)
}

const role = "arn:aws:iam::" + account + ":role/functions"

// createRole creates the role of the functions.
func (m *moto) createRole(t *testing.T) {
	t.Helper()
	m.registry("us-east-1").aws(t, "", "iam", "create-role", "--role-name", "functions", "--assume-role-policy-document", "{}")
}

// function creates a function of an image and returns its ARN.
func (s *site) function(t *testing.T, name, uri string) string {
	t.Helper()
	out, err := s.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, PackageType: lambdatypes.PackageTypeImage, Role: aws.String(role),
		Code: &lambdatypes.FunctionCode{ImageUri: &uri},
	})
	done(t, err)
	return aws.ToString(out.FunctionArn)
}

// zip creates a function that is no image.
func (s *site) zip(t *testing.T, name string) {
	t.Helper()
	_, err := s.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, PackageType: lambdatypes.PackageTypeZip, Role: aws.String(role),
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: []byte("PK\x05\x06" + strings.Repeat("\x00", 18))},
	})
	done(t, err)
}

func (s *site) deploy(t *testing.T, function, uri string) {
	t.Helper()
	_, err := s.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &function, ImageUri: &uri})
	done(t, err)
}

func (s *site) publish(t *testing.T, function string) {
	t.Helper()
	_, err := s.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &function})
	done(t, err)
}

// put stores an S3 object or, by a path of one element, creates a bucket.
func (m *moto) put(t *testing.T, path, content string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, m.url+path, strings.NewReader(content))
	done(t, err)
	answer, err := http.DefaultClient.Do(request)
	done(t, err)
	defer func() { _ = answer.Body.Close() }() // it was only read
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("put %s: %s, %v\n%s", path, answer.Status, err, text)
	}
}
