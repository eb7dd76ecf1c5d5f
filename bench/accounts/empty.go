package accounts

// empty has one answer of each other service to all listings: that there is nothing. Only
// the list of event buses has one, as in every account.
var empty = map[string]string{
	"events":    `{"EventBuses": [{"Name": "default", "Arn": "arn:aws:events:eu-west-1:123456789012:event-bus/default"}], "RuleNames": [], "Targets": []}`,
	"scheduler": `{"Schedules": []}`,
	"pipes":     `{"Pipes": []}`,
	"states":    `{"stateMachines": []}`,
	"eks":       `{"clusters": []}`,
	"apprunner": `{"ServiceSummaryList": []}`,
	"batch":     `{"jobDefinitions": [], "jobQueues": [], "jobSummaryList": [], "jobs": []}`,
	"codebuild": `{"projects": []}`,
	"sagemaker": `{"Endpoints": [], "Models": [], "InferenceComponents": [], "HyperParameterTuningJobSummaries": [], ` +
		`"TrainingJobSummaries": [], "ProcessingJobSummaries": []}`,
	"bedrock-agentcore": `{"agentRuntimes": [], "harnesses": []}`,
	"emr-serverless":    `{"applications": []}`,
}
