package scenario_test

import (
	"maps"
	"testing"
)

// noneOf are the answers of services that use no image.
var noneOf = map[string]map[string]string{
	"sagemaker": {
		"ListModels": `{"Models": []}`, "ListEndpoints": `{"Endpoints": []}`, "ListInferenceComponents": `{"InferenceComponents": []}`,
		"ListHyperParameterTuningJobs": `{"HyperParameterTuningJobSummaries": []}`,
		"ListTrainingJobs":             `{"TrainingJobSummaries": []}`, "ListProcessingJobs": `{"ProcessingJobSummaries": []}`,
	},
	"bedrock-agentcore": {"/runtimes": `{"agentRuntimes": []}`, "/harnesses": `{"harnesses": []}`},
	"emr-serverless":    {"/applications": `{"applications": []}`, "/applications/a1/jobruns": `{"jobRuns": []}`},
}

// usersOf has one user of each kind, by service.
var usersOf = map[string][]user{
	"sagemaker": {
		{name: "model", answers: sageMaker("Model", "", "Models", `"PrimaryContainer": {"Image": "HOST/app:model"}`)},
		{name: "endpoint", answers: sageMaker("Endpoint", "", "Endpoints",
			`"ProductionVariants": [{"DeployedImages": [{"SpecifiedImage": "HOST/app:moved", "ResolvedImage": "HOST/app@endpoint"}]}]`)},
		{name: "component", answers: sageMaker("InferenceComponent", "", "InferenceComponents",
			`"Specification": {"Container": {"DeployedImage": {"ResolvedImage": "HOST/app@component"}}}`)},
		{name: "tuning", answers: sageMaker("HyperParameterTuningJob", " InProgress", "HyperParameterTuningJobSummaries",
			`"TrainingJobDefinition": {"AlgorithmSpecification": {"TrainingImage": "HOST/app:tuning"}}`)},
		{name: "training", answers: sageMaker("TrainingJob", " InProgress", "TrainingJobSummaries",
			`"AlgorithmSpecification": {"TrainingImage": "HOST/app:training"}`)},
		{name: "processing", answers: sageMaker("ProcessingJob", " Stopping", "ProcessingJobSummaries", `"AppSpecification": {"ImageUri": "HOST/app:processing"}`)},
	},
	"bedrock-agentcore": {
		{name: "old-version", answers: map[string]string{
			"/runtimes": `{"agentRuntimes": [{"agentRuntimeId": "one", "agentRuntimeVersion": "2"}]}`,
			"/runtimes/one/versions": `{"agentRuntimes": [{"agentRuntimeId": "one", "agentRuntimeVersion": "1"},
				{"agentRuntimeId": "one", "agentRuntimeVersion": "2"}]}`,
			"/runtimes/one 1": `{"agentRuntimeArtifact": {"containerConfiguration": {"containerUri": "HOST/app:old-version"}}}`,
			"/runtimes/one 2": `{"agentRuntimeArtifact": {"codeConfiguration": {"entryPoint": ["main.py"]}}}`,
		}},
		{name: "harness", answers: map[string]string{
			"/harnesses":              `{"harnesses": [{"harnessId": "two", "harnessVersion": "1"}]}`,
			"/harnesses/two/versions": `{"harnessVersions": [{"harnessId": "two", "harnessVersion": "1"}]}`,
			"/harnesses/two":          `{"harness": {"environmentArtifact": {"containerConfiguration": {"containerUri": "HOST/app@harness"}}}}`,
		}},
	},
	"emr-serverless": {
		{name: "application", answers: map[string]string{
			"/applications": `{"applications": [{"id": "a1", "state": "STARTED"}]}`,
			"/applications/a1": `{"application": {"state": "STARTED", "imageConfiguration":
				{"imageUri": "HOST/app:moved", "resolvedImageDigest": "` + digestOf("application") + `"}}}`,
		}},
		{name: "job-run", answers: map[string]string{
			"/applications":               `{"applications": [{"id": "a2", "state": "STARTED"}]}`,
			"/applications/a2":            `{"application": {"state": "STARTED"}}`,
			"/applications/a2/jobruns":    `{"jobRuns": [{"id": "j1"}]}`,
			"/applications/a2/jobruns/j1": `{"jobRun": {"imageConfiguration": {"imageUri": "HOST/app:moved", "resolvedImageDigest": "` + digestOf("job-run") + `"}}}`,
		}},
	},
}

// sageMaker returns the answers about a resource of the kind, which has those members.
func sageMaker(kind, status, list, members string) map[string]string {
	id := `"` + kind + `Name": "` + kind + `", "` + kind + `Arn": "` + kind + `"`
	return map[string]string{
		"List" + kind + "s" + status:   `{"` + list + `": [{` + id + `}]}`,
		"Describe" + kind + " " + kind: `{` + id + `, ` + members + `}`,
	}
}

// One service alone keeps the images that it uses, each until its user is gone.
func TestEachServiceKeepsItsImages(t *testing.T) {
	t.Parallel()
	for service, users := range usersOf {
		f, a := newAccount(t, users)
		maps.Copy(a.empty.answers, noneOf[service])
		text := configuration("expire any pushed>30", `"inUse": ["`+service+`"]`, "")
		for gone := range len(users) + 1 {
			a.applyFor(t, f, text, users[gone:])
		}
	}
}
