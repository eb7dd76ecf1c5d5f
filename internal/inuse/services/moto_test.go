//go:build integration

package services_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// Moto is a second opinion about the wire: both sides of the fakes are ours.
func TestMotoECS(t *testing.T) {
	m := startMoto(t)
	first := m.push("app:v1", "one")
	m.define("app", "app:v1")
	m.do(m.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("prod")}))
	m.run("prod", "app:1")
	stopped := m.run("prod", "app:1")
	m.do(m.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: &stopped}))
	second := m.push("app:v1", "two") // the tag moves
	m.define("idle", "app:v2")
	m.do(m.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: aws.String("idle"), TaskDefinition: aws.String("idle:1"),
		DesiredCount: aws.Int32(0), LaunchType: ecstypes.LaunchTypeFargate,
	}))
	for _, tag := range []string{"job:1", "job:2", "job:3"} {
		m.define("job", tag)
	}
	m.define("other", "nginx")
	byTag := m.images("ecs")
	for image, want := range map[string]int{
		"app:v1@" + first: 2, "app:v1@" + second: 0, "app:v1": 1, "app:v2": 2, "job:1": 0, "job:2": 1, "job:3": 1, "nginx:latest": 1,
	} {
		awstest.Equal(t, "uses of "+image, want, byTag[image])
	}
}

func TestMotoLambda(t *testing.T) {
	m := startMoto(t)
	role := inusetest.MotoRole(t, m.url)
	first := m.push("fn:v1", "one")
	m.do(m.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("fn"), PackageType: lambdatypes.PackageTypeImage, Role: &role, Publish: true,
		Code: &lambdatypes.FunctionCode{ImageUri: aws.String(inusetest.Registry + "fn:v1")},
	}))
	m.do(m.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{
		FunctionName: aws.String("fn"), Name: aws.String("prod"), FunctionVersion: aws.String("1"),
	}))
	second := m.push("fn:v1", "two") // the tag moves
	m.do(m.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{
		FunctionName: aws.String("fn"), ImageUri: aws.String(inusetest.Registry + "fn:v1"),
	}))
	m.do(m.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("pinned"), PackageType: lambdatypes.PackageTypeImage, Role: &role,
		Code: &lambdatypes.FunctionCode{ImageUri: aws.String(inusetest.Registry + "fn@" + first)},
	}))
	byName := m.images("lambda")
	for image, want := range map[string]int{"fn@" + first: 2, "fn@" + second: 1, "fn:v1": 2} {
		awstest.Equal(t, "uses of "+image, want, byName[image])
	}
}

// moto is moto's server and clients of it.
type moto struct {
	*testing.T
	url    string
	ecr    *ecr.Client
	ecs    *ecs.Client
	lambda *lambda.Client
}

func startMoto(t *testing.T) moto {
	t.Helper()
	url := inusetest.Moto(t)
	cfg := inusetest.ConfigFor(url)
	return moto{t, url, ecr.NewFromConfig(cfg), ecs.NewFromConfig(cfg), lambda.NewFromConfig(cfg)}
}

// do checks the error of a call whose answer does not matter.
func (m moto) do(_ any, err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// push puts an image with that content under repository:tag and returns its digest.
func (m moto) push(name, content string) string {
	m.Helper()
	repo, tag, _ := strings.Cut(name, ":")
	_, _ = m.ecr.CreateRepository(m.Context(), &ecr.CreateRepositoryInput{RepositoryName: &repo})
	manifest, _ := json.Marshal(inusetest.Object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": inusetest.Object{"mediaType": "application/vnd.oci.image.config.v1+json", "size": 1, "digest": inusetest.Digest("c")},
		"layers": []inusetest.Object{}, "annotations": inusetest.Object{"content": content},
	})
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(manifest)) // moto does not work it out
	m.do(m.ecr.PutImage(m.Context(), &ecr.PutImageInput{
		RepositoryName: &repo, ImageTag: &tag, ImageDigest: &digest, ImageManifest: aws.String(string(manifest)),
	}))
	return digest
}

// define registers a revision of a task definition with one container.
func (m moto) define(family, image string) {
	m.Helper()
	if image != "nginx" {
		image = inusetest.Registry + image
	}
	m.do(m.ecs.RegisterTaskDefinition(m.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("main"), Image: &image, Memory: aws.Int32(512)}},
	}))
}

// run starts a task and returns its ARN.
func (m moto) run(cluster, definition string) string {
	m.Helper()
	out, err := m.ecs.RunTask(m.Context(), &ecs.RunTaskInput{
		Cluster: &cluster, TaskDefinition: &definition, LaunchType: ecstypes.LaunchTypeFargate, Count: aws.Int32(1),
	})
	if err != nil || len(out.Tasks) != 1 {
		m.Fatalf("run task: %v, %v", out, err)
	}
	return aws.ToString(out.Tasks[0].TaskArn)
}

// images queries the service with that name and counts the uses of each image.
func (m moto) images(service string) map[string]int {
	m.Helper()
	source := services.New(service, query.Environment{
		AWS: inusetest.ConfigFor(m.url), Settings: config.Protect{TaskDefinitionRevisions: 2}, Clock: time.Now,
	})
	scan := inuse.Scope{}.Run(m.Context(), []inuse.Source{source}, inusetest.Now)
	for _, f := range scan.Failed {
		m.Error(f)
	}
	count := map[string]int{}
	for _, use := range scan.Uses {
		count[strings.TrimPrefix(use.Reference.String(), inusetest.Registry)]++
	}
	return count
}
