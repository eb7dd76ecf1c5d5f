//go:build integration

package integration_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A site is a registry, the services that use its images, and the tested program.
type site struct {
	*testing.T
	*registry
	program string
	ecs     *ecs.Client
	lambda  *lambda.Client
	// names has the names of all added images by digest.
	names map[string]string
}

func (m *moto) site(t *testing.T, program, region string) *site {
	t.Helper()
	return &site{
		T: t, registry: m.registry(region), program: program, names: map[string]string{},
		ecs: ecs.NewFromConfig(m.config(region)), lambda: lambda.NewFromConfig(m.config(region)),
	}
}

// done checks the error of a call.
func (s *site) done(err error) {
	s.Helper()
	awstest.NoError(s, err)
}

// uri returns the image reference with the host of the registry.
func (s *site) uri(image string) string {
	return account + ".dkr.ecr." + s.region + ".amazonaws.com/" + image
}

// add pushes an image that is 30 days old and returns its digest.
func (s *site) add(repository string, im image) string {
	s.Helper()
	im.days = 30
	digest := s.push(s.T, repository, im)
	s.names[digest] = im.name
	return digest
}

// move moves the tag to another image. moto deletes an image when its last tag moves; ECR
// keeps it untagged.
func (s *site) move(repository, tag, from, to string) {
	s.Helper()
	s.add(repository, image{name: to, tags: []string{tag}})
	s.add(repository, image{name: from})
}

// prod is the name of the cluster.
const prod = "prod"

func (s *site) cluster() {
	s.Helper()
	_, err := s.ecs.CreateCluster(s.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(prod)})
	s.done(err)
}

// define registers a revision of a task definition with one container and returns its
// ARN. For tasks, moto records the current digest of the image, or the given digest.
func (s *site) define(family, uri string, recorded ...string) string {
	s.Helper()
	container := ecstypes.ContainerDefinition{Name: aws.String("main"), Image: &uri, Memory: aws.Int32(512)}
	for _, digest := range recorded {
		container.Environment = []ecstypes.KeyValuePair{{Name: aws.String("X_DIGEST"), Value: &digest}}
	}
	out, err := s.ecs.RegisterTaskDefinition(s.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{container},
	})
	s.done(err)
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn)
}

func (s *site) deregister(definition string) {
	s.Helper()
	_, err := s.ecs.DeregisterTaskDefinition(s.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &definition})
	s.done(err)
}

// run starts a task and returns its ARN.
func (s *site) run(definition string) string {
	s.Helper()
	out, err := s.ecs.RunTask(s.Context(), &ecs.RunTaskInput{
		Cluster: aws.String(prod), TaskDefinition: &definition, LaunchType: ecstypes.LaunchTypeFargate, Count: aws.Int32(1),
	})
	s.done(err)
	if len(out.Tasks) != 1 {
		s.Fatalf("%d tasks run", len(out.Tasks))
	}
	return aws.ToString(out.Tasks[0].TaskArn)
}

func (s *site) stop(task string) {
	s.Helper()
	_, err := s.ecs.StopTask(s.Context(), &ecs.StopTaskInput{Cluster: aws.String(prod), Task: &task})
	s.done(err)
}

// serve creates a service without tasks and returns its ARN.
func (s *site) serve(name, definition string) string {
	s.Helper()
	out, err := s.ecs.CreateService(s.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String(prod), ServiceName: &name, TaskDefinition: &definition, DesiredCount: aws.Int32(0), LaunchType: ecstypes.LaunchTypeFargate,
	})
	s.done(err)
	return aws.ToString(out.Service.ServiceArn)
}

const role = "arn:aws:iam::" + account + ":role/functions"

// createRole creates the role of the functions.
func (m *moto) createRole(t *testing.T) {
	t.Helper()
	m.registry("us-east-1").aws(t, "", "iam", "create-role", "--role-name", "functions", "--assume-role-policy-document", "{}")
}

// function creates a function of an image and returns its ARN.
func (s *site) function(name, uri string) string {
	s.Helper()
	out, err := s.lambda.CreateFunction(s.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, PackageType: lambdatypes.PackageTypeImage, Role: aws.String(role),
		Code: &lambdatypes.FunctionCode{ImageUri: &uri},
	})
	s.done(err)
	return aws.ToString(out.FunctionArn)
}

// zip creates a function without an image.
func (s *site) zip(name string) {
	s.Helper()
	_, err := s.lambda.CreateFunction(s.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, PackageType: lambdatypes.PackageTypeZip, Role: aws.String(role),
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: []byte("PK\x05\x06" + strings.Repeat("\x00", 18))},
	})
	s.done(err)
}

func (s *site) deploy(function, uri string) {
	s.Helper()
	_, err := s.lambda.UpdateFunctionCode(s.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &function, ImageUri: &uri})
	s.done(err)
}

func (s *site) publish(function string) {
	s.Helper()
	_, err := s.lambda.PublishVersion(s.Context(), &lambda.PublishVersionInput{FunctionName: &function})
	s.done(err)
}

// put stores an S3 object. A path of one element creates a bucket.
func (m *moto) put(t *testing.T, path, content string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, m.url+path, strings.NewReader(content))
	awstest.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	awstest.NoError(t, err)
	defer func() { _ = answer.Body.Close() }() // the status says it all
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("put %s: %s", path, answer.Status)
	}
}
