package scenario_test

var sageMakerUsers = []user{
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
}

var agentCoreUsers = []user{
	{name: "old-version", answers: map[string]string{
		"/runtimes": `{"agentRuntimes": [{"agentRuntimeId": "one", "agentRuntimeVersion": "2"}]}`,
		"/runtimes/one/versions": `{"agentRuntimes": [
			{"agentRuntimeId": "one", "agentRuntimeArn": "arn:aws:bedrock-agentcoreAWS:runtime/one", "agentRuntimeVersion": "1"},
			{"agentRuntimeId": "one", "agentRuntimeVersion": "2"}]}`,
		"/runtimes/one 1": `{"agentRuntimeArtifact": {"containerConfiguration": {"containerUri": "HOST/app:old-version"}}}`,
		"/runtimes/one 2": `{"agentRuntimeArtifact": {"codeConfiguration": {"entryPoint": ["main.py"]}}}`,
	}},
	{name: "harness", answers: map[string]string{
		"/harnesses":              `{"harnesses": [{"harnessId": "two", "harnessVersion": "1"}]}`,
		"/harnesses/two/versions": `{"harnessVersions": [{"harnessId": "two", "arn": "arn:aws:bedrock-agentcoreAWS:harness/two", "harnessVersion": "1"}]}`,
		"/harnesses/two":          `{"harness": {"environmentArtifact": {"containerConfiguration": {"containerUri": "HOST/app@harness"}}}}`,
	}},
}

var emrServerlessUsers = []user{
	{name: "application", answers: map[string]string{
		"/applications": `{"applications": [{"id": "a1", "arn": "arn:aws:emr-serverlessAWS:/applications/a1", "state": "STARTED"}]}`,
		"/applications/a1": `{"application": {"state": "STARTED", "imageConfiguration":
				{"imageUri": "HOST/app:moved", "resolvedImageDigest": "` + digestOf("application") + `"}}}`,
	}},
	{name: "job-run", answers: map[string]string{
		"/applications":               `{"applications": [{"id": "a2", "state": "STARTED"}]}`,
		"/applications/a2":            `{"application": {"state": "STARTED"}}`,
		"/applications/a2/jobruns":    `{"jobRuns": [{"id": "j1", "arn": "arn:aws:emr-serverlessAWS:/applications/a2/jobruns/j1"}]}`,
		"/applications/a2/jobruns/j1": `{"jobRun": {"imageConfiguration": {"imageUri": "HOST/app:moved", "resolvedImageDigest": "` + digestOf("job-run") + `"}}}`,
	}},
}

// sageMaker returns the answers about a resource of the kind, which has those members.
func sageMaker(kind, status, list, members string) map[string]string {
	id := `"` + kind + `Name": "` + kind + `", "` + kind + `Arn": "arn:aws:sagemakerAWS:` + kind + `/one"`
	return map[string]string{
		"List" + kind + "s" + status:   `{"` + list + `": [{` + id + `}]}`,
		"Describe" + kind + " " + kind: `{` + id + `, ` + members + `}`,
	}
}
