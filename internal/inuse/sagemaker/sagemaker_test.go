package sagemaker_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/sagemaker"
)

// The answers are written from the documentation of the API, and the SDK's module reads the
// same from them. Another test has models, endpoints and jobs at moto's server.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/Welcome.html

type object = inusetest.Object

const registry = inusetest.Registry

var sha = inusetest.Digest

func newSource(cfg aws.Config) inuse.Source {
	return sagemaker.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

func source(t *testing.T, s *inusetest.Service) inuse.Source {
	t.Helper()
	return newSource(inusetest.Config(t, s))
}

// an returns an answer about the resource of a kind, or its summary in a listing.
func an(kind, name string, members object) object {
	out := object{kind + "Name": name, kind + "Arn": name}
	maps.Copy(out, members)
	return out
}

func deployed(tag, digest string) object {
	image := object{"SpecifiedImage": registry + tag}
	if digest != "" {
		repository, _, _ := strings.Cut(tag, ":")
		image["ResolvedImage"] = registry + repository + "@" + digest
	}
	return image
}

func variant(images ...object) []object {
	return []object{{"VariantName": "v", "DeployedImages": images}}
}

func of(member, image string) object { return object{member: registry + image} }

// busy returns a service with one user of each kind.
func busy() *inusetest.Service {
	s := &inusetest.Service{
		Call: call, Token: "NextToken", Lists: map[string]inusetest.List{}, Objects: map[string]object{},
		Missing: inusetest.Fault{Status: http.StatusBadRequest, Code: "ValidationException", Message: `Could not find model "arn"`},
	}
	for _, kind := range []string{"Models ", "Endpoints ", "InferenceComponents "} {
		s.Lists["List"+kind] = inusetest.List{Member: strings.TrimSpace(kind)}
	}
	for _, kind := range []string{"HyperParameterTuningJob", "TrainingJob", "ProcessingJob"} {
		for _, status := range []string{"InProgress", "Stopping"} {
			s.Lists["List"+kind+"s "+status] = inusetest.List{Member: kind + "Summaries"}
		}
	}
	for call, member := range map[string]string{
		"Algorithms ": "AlgorithmSummaryList", "Pipelines ": "PipelineSummaries", "MonitoringSchedules ": "MonitoringScheduleSummaries",
		"Images ": "Images", "ImageVersions studio": "ImageVersions",
	} {
		s.Lists["List"+call] = inusetest.List{Member: member}
	}
	addLater(s)
	container := of("Image", "model:v1")
	container["Environment"] = object{"Image": "no image"}
	add(s, "Model", "", "one", object{"PrimaryContainer": container})
	add(s, "Model", "", "pipeline", object{"Containers": []object{of("Image", "first:v1"), of("Image", "second:v1")}})
	add(s, "Model", "", "packaged", object{"Containers": []object{{"ModelPackageName": "churn/1"}}})
	packaged := of("Image", "packaged:v1")
	packaged["ImageDigest"] = "SHA256:" + strings.Repeat("A", 64)
	s.Objects["DescribeModelPackage churn/1"] = an("ModelPackage", "churn/1", object{
		"InferenceSpecification":            object{"Containers": []object{packaged}},
		"AdditionalInferenceSpecifications": []object{{"Containers": []object{of("Image", "packaged:v2")}}},
	})
	add(s, "Endpoint", "", "web", object{
		"ProductionVariants": variant(deployed("web:v1", sha("1"))), "ShadowProductionVariants": variant(deployed("shadow:v1", sha("2"))),
		"PendingDeploymentSummary": object{"ProductionVariants": variant(deployed("web:v2", sha("3")), object{}), "ShadowProductionVariants": []object{}},
	})
	add(s, "Endpoint", "", "creating", object{})
	add(s, "InferenceComponent", "", "part", object{"EndpointArn": "x", "Specification": object{"Container": object{"DeployedImage": deployed("part:v1", sha("4"))}}})
	add(s, "InferenceComponent", "", "parts", object{"Specifications": []object{{"Container": object{"DeployedImage": deployed("part:v2", sha("5"))}}, {"ModelName": "one"}}})
	add(s, "HyperParameterTuningJob", "InProgress", "tune", object{"TrainingJobDefinition": object{"AlgorithmSpecification": of("TrainingImage", "tune:v1")}})
	add(s, "HyperParameterTuningJob", "Stopping", "tunes", object{"TrainingJobDefinitions": []object{{"AlgorithmSpecification": object{"AlgorithmName": "own"}}}})
	add(s, "Algorithm", "", "own", object{"TrainingSpecification": of("TrainingImage", "algorithm:v1")})
	add(s, "TrainingJob", "InProgress", "train", object{
		"AlgorithmSpecification":     of("TrainingImage", "train:v1"),
		"DebugRuleConfigurations":    []object{{"RuleEvaluatorImage": "503895931360.dkr.ecr.eu-west-1.amazonaws.com/rules:latest"}},
		"ProfilerRuleConfigurations": []object{of("RuleEvaluatorImage", "profiler:v1")},
	})
	add(s, "TrainingJob", "Stopping", "stopping", object{"AlgorithmSpecification": of("TrainingImage", "train:v2")})
	add(s, "TrainingJob", "InProgress", "serverless", object{})
	add(s, "ProcessingJob", "InProgress", "process", object{"AppSpecification": of("ImageUri", "process:v1")})
	return s
}

// addLater adds what starts images later.
func addLater(s *inusetest.Service) {
	add(s, "Pipeline", "", "nightly", object{"PipelineDefinition": `{"Version": "2020-12-01",
		"Parameters": [{"Name": "Tag", "DefaultValue": "` + registry + `default:v1"}, {"Name": "Count", "DefaultValue": 1}],
		"Steps": [{"Type": "Training", "Arguments": {"AlgorithmSpecification": {"TrainingImage": "` + registry + `step:v1"}}},
			{"Type": "Processing", "Arguments": {"AppSpecification": {"ImageUri": "proxy.example.com/step:v2"}, "Environment": {"A": "b"}}},
			{"Type": "Processing", "Arguments": {"AppSpecification": {"ImageUri": {"Get": "Parameters.Tag"}}}}]}`})
	add(s, "MonitoringSchedule", "", "hourly", object{"MonitoringScheduleConfig": object{
		"MonitoringJobDefinition": object{"MonitoringAppSpecification": of("ImageUri", "monitor:v1")},
	}})
	for _, kind := range []string{"DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"} {
		add(s, "MonitoringSchedule", "", kind, object{"MonitoringScheduleConfig": object{"MonitoringJobDefinitionName": "d", "MonitoringType": kind}})
		s.Objects["Describe"+kind+"JobDefinition d"] = object{"JobDefinitionArn": "d", kind + "AppSpecification": of("ImageUri", "quality:"+kind)}
	}
	s.Lists["ListImages "] = inusetest.List{Member: "Images", Items: []object{an("Image", "studio", nil)}}
	s.Lists["ListImageVersions studio"] = inusetest.List{Member: "ImageVersions", Items: []object{
		{"ImageVersionArn": "studio/1", "Version": 1}, {"ImageVersionArn": "studio/2", "Version": 2},
	}}
	s.Objects["DescribeImageVersion studio 1"] = object{
		"ImageVersionArn": "studio/1", "BaseImage": registry + "studio:v1", "ContainerImage": registry + "studio@" + sha("6"),
	}
	s.Objects["DescribeImageVersion studio 2"] = object{"ImageVersionArn": "studio/2", "BaseImage": registry + "studio:v2"}
}

// add adds a resource to the listing with that status, and its description.
func add(s *inusetest.Service, kind, status, name string, members object) {
	call := "List" + kind + "s " + status
	list := s.Lists[call]
	list.Items = append(list.Items, an(kind, name, nil))
	s.Lists[call] = list
	s.Objects["Describe"+kind+" "+name] = an(kind, name, members)
}

func call(r *http.Request, in object) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "SageMaker.")
	if image, isVersion := in["ImageName"].(string); isVersion {
		return strings.TrimSuffix(fmt.Sprint(operation, " ", image, " ", in["Version"]), " <nil>")
	}
	if kind, isDescribe := strings.CutPrefix(operation, "Describe"); isDescribe {
		name, _ := in[kind+"Name"].(string)
		if strings.HasSuffix(kind, "JobDefinition") {
			name, _ = in["JobDefinitionName"].(string)
		}
		return operation + " " + name
	}
	status, _ := in["StatusEquals"].(string)
	return operation + " " + status
}

func TestEachKindUsesItsImages(t *testing.T) {
	t.Parallel()
	inusetest.WantUses(t, source(t, busy()),
		"model:v1 one", "first:v1 pipeline", "second:v1 pipeline",
		"packaged:v1 packaged", "packaged:v1@"+sha("a")+" packaged", "packaged:v2 packaged",
		"web:v1 web", "web@"+sha("1")+" web", "shadow:v1 web", "shadow@"+sha("2")+" web", "web:v2 web", "web@"+sha("3")+" web",
		"part:v1 part", "part@"+sha("4")+" part", "part:v2 parts", "part@"+sha("5")+" parts",
		"tune:v1 tune", "algorithm:v1 tunes", "train:v1 train", "train:v2 stopping", "profiler:v1 train",
		"503895931360.dkr.ecr.eu-west-1.amazonaws.com/rules:latest train", "process:v1 process",
		"algorithm:v1 own", "default:v1 nightly", "step:v1 nightly", "proxy.example.com/step:v2 nightly", "monitor:v1 hourly",
		"quality:DataQuality DataQuality", "quality:ModelQuality ModelQuality", "quality:ModelBias ModelBias", "quality:ModelExplainability ModelExplainability",
		"studio:v1 studio/1", "studio@"+sha("6")+" studio/1", "studio:v2 studio/2")
}

func TestTheSourceDoesWhatAllDo(t *testing.T) {
	t.Parallel()
	inusetest.CheckSource(t, sagemaker.Actions, busy, newSource)
}

// SageMaker has several ways to say that a resource is not there.
func TestWhatIsDeletedMeanwhileIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, missing := range []inusetest.Fault{
		{Status: 400, Code: "ValidationException", Message: `Could not find endpoint "arn"`},
		{Status: 400, Code: "ValidationException", Message: "Requested resource not found."},
		{Status: 400, Code: "ValidationException", Message: "Resource does not exist."},
		{Status: 400, Code: "ResourceNotFound", Message: "x"},
	} {
		s := busy()
		s.Missing = missing
		for call := range s.Objects {
			if strings.HasPrefix(call, "Describe") && call != "DescribeModel one" {
				delete(s.Objects, call)
			}
		}
		inusetest.WantUses(t, source(t, s), "model:v1 one")
	}
	s := busy()
	s.Fail("DescribeModel", inusetest.Fault{Status: 400, Code: "ValidationException", Message: "1 validation error detected"})
	inusetest.WantFailure(t, source(t, s), "describe model ", "1 validation error detected")
}

// A model outlives its package, and its image is then not known.
func TestAModelWithoutItsPackageIsAFailure(t *testing.T) {
	t.Parallel()
	s := busy()
	delete(s.Objects, "DescribeModelPackage churn/1")
	inusetest.WantFailure(t, source(t, s), "describe model packaged: describe model package churn/1: ", "; delete packaged, whose image is not known")
}

// The tag of a deployed image may have moved.
func TestADeployedImageWithoutADigestMayBeAny(t *testing.T) {
	t.Parallel()
	s := busy()
	byDigest := "shadow@" + sha("5")
	s.Objects["DescribeEndpoint web"] = an("Endpoint", "web", object{"ProductionVariants": variant(deployed("web:v1", ""), deployed(byDigest, ""))})
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source(t, s)}, inusetest.Now)
	awstest.Equal(t, "failed", 0, len(scan.Failed))
	for _, use := range scan.Uses {
		awstest.Equal(t, "all of "+use.Reference.String(), use.Reference.Repository == "web", use.AllImages)
	}
}

func TestAnAnswerThatCannotBeUnderstoodIsAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call string
		out  object
		want string
	}{
		{"DescribeModel one", an("Model", "one", object{"PrimaryContainer": object{}}), "describe model one: the answer names no image"},
		{"DescribeModel one", an("Model", "one", object{"PrimaryContainer": of("Image", "TWO words")}), "describe model one: one: "},
		{"DescribeProcessingJob process", an("ProcessingJob", "process", nil), "describe processing job process: the answer names no image"},
		{"DescribePipeline nightly", an("Pipeline", "nightly", object{"PipelineDefinition": "{"}), "describe pipeline nightly: its definition: "},
		{"DescribeTrainingJob train", object{"Other": "x"}, "DescribeTrainingJob"},
		{"DescribeEndpoint web", an("Endpoint", "web", object{"ProductionVariants": variant(object{"ResolvedImage": registry + "web@sha256:1"})}), "describe endpoint web: web: "},
	} {
		s := busy()
		s.Objects[c.call] = c.out
		inusetest.WantFailure(t, source(t, s), c.want)
	}
}
