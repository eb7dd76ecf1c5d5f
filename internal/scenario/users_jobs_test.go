package scenario_test

var appRunnerUsers = []user{
	{name: "app-runner", answers: map[string]string{
		"ListServices": `{"ServiceSummaryList": [{"ServiceArn": "arn:aws:apprunnerAWS:service/web/1"}]}`,
		"DescribeService": `{"Service": {"ServiceArn": "arn:aws:apprunnerAWS:service/web/1", "Status": "PAUSED",
			"SourceConfiguration": {"ImageRepository": {"ImageIdentifier": "HOST/app:app-runner", "ImageRepositoryType": "ECR"}}}}`,
	}},
}

var batchUsers = []user{
	{name: "job-definition", answers: map[string]string{
		"/v1/describejobdefinitions ACTIVE": `{"jobDefinitions": [{"jobDefinitionArn": "arn:aws:batchAWS:job-definition/one:1",
			"containerProperties": {"image": "HOST/app:job-definition"}}]}`,
	}},
	{name: "job-in-progress", answers: map[string]string{
		"/v1/describejobqueues": `{"jobQueues": [{"jobQueueArn": "arn:aws:batchAWS:job-queue/q", "jobQueueType": "EKS"}]}`,
		"/v1/listjobs STARTING": `{"jobSummaryList": [{"jobId": "one"}]}`,
		"/v1/describejobs": `{"jobs": [{"jobId": "one", "jobArn": "arn:aws:batchAWS:job/one", "eksProperties": {"podProperties":
			{"containers": [{"image": "HOST/app:job-in-progress"}]}}}]}`,
	}},
	{name: "training-job", answers: map[string]string{
		"/v1/describejobqueues":        `{"jobQueues": [{"jobQueueArn": "arn:aws:batchAWS:job-queue/t", "jobQueueType": "SAGEMAKER_TRAINING"}]}`,
		"/v1/listservicejobs RUNNABLE": `{"jobSummaryList": [{"jobId": "two"}]}`,
		"/v1/describeservicejob two": `{"jobArn": "arn:aws:batchAWS:service-job/two",
			"serviceRequestPayload": "{\"AlgorithmSpecification\": {\"TrainingImage\": \"HOST/app:training-job\"}}"}`,
	}},
}

var codeBuildUsers = []user{
	{name: "build-project", answers: map[string]string{
		"ListProjects": `{"projects": ["build"]}`,
		"BatchGetProjects": `{"projects": [{"name": "build", "arn": "arn:aws:codebuildAWS:project/build",
			"environment": {"image": "HOST/app@build-project"}}]}`,
	}},
}
