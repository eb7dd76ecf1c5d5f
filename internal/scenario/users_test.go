package scenario_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

var ecsUsers = []user{
	{name: "task", answers: map[string]string{
		"ListTasks": `{"taskArns": ["ECS:task/c/1"]}`,
		"DescribeTasks": `{"tasks": [{"taskArn": "ECS:task/c/1", "lastStatus": "RUNNING",
			"desiredStatus": "RUNNING", "containers": [{"image": "HOST/app@task"}]}]}`,
	}},
	{name: "service", answers: map[string]string{
		"ListServices": `{"serviceArns": ["ECS:service/c/web"]}`,
		"DescribeServices": `{"services": [{"serviceArn": "ECS:service/c/web", "status": "ACTIVE",
			"desiredCount": 0, "taskDefinition": "ECS:task-definition/web:1"}]}`,
		"DescribeTaskDefinition ECS:task-definition/web:1": taskDefinition("service"),
	}},
	{name: "task-set", answers: map[string]string{
		"ListServices":     `{"serviceArns": ["ECS:service/c/sets"]}`,
		"DescribeServices": `{"services": [{"serviceArn": "ECS:service/c/sets", "status": "ACTIVE", "deploymentController": {"type": "EXTERNAL"}}]}`,
		"DescribeTaskSets": `{"taskSets": [{"taskSetArn": "ECS:task-set/c/sets/1", "taskDefinition": "ECS:task-definition/set:1"}]}`,
		"DescribeTaskDefinition ECS:task-definition/set:1": taskDefinition("task-set"),
	}},
	{name: "newest-revision", answers: map[string]string{
		"ListTaskDefinitionFamilies":                       `{"families": ["job"]}`,
		"ListTaskDefinitions":                              `{"taskDefinitionArns": ["ECS:task-definition/job:8", "ECS:task-definition/job:1"]}`,
		"DescribeTaskDefinition ECS:task-definition/job:8": taskDefinition("newest-revision"),
	}},
	{name: "daemon-without-instance", answers: daemon("idle", "daemon-without-instance")},
	{name: "daemon", answers: with(daemon("agent", "daemon"), map[string]string{
		"ListTasks": `{"taskArns": ["ECS:task/c/2"]}`,
		"DescribeTasks": `{"tasks": [{"taskArn": "ECS:task/c/2", "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
			"taskDefinitionArn": "ECS:daemon-task-definition/agent:1", "containers": [{"image": "HOST/app@daemon"}]}]}`,
	})},
}

// pinnedUsers are services other than ECS that name an old revision of the family job.
var pinnedUsers = []user{
	{name: "rule-on-custom-bus", answers: map[string]string{
		"ListEventBuses":               `{"EventBuses": [{"Name": "orders", "Arn": "arn:aws:eventsAWS:event-bus/orders"}]}`,
		"ListRuleNamesByTarget orders": `{"RuleNames": ["paid"]}`,
		"ListTargetsByRule": `{"Targets": [{"Id": "1", "Arn": "ECS:cluster/c",
			"EcsParameters": {"TaskDefinitionArn": "ECS:task-definition/job:1"}}]}`,
		"DescribeTaskDefinition ECS:task-definition/job:1": taskDefinition("rule-on-custom-bus"),
	}},
	{name: "schedule-in-group", answers: map[string]string{
		"/schedules": `{"Schedules": [{"Arn": "arn:aws:schedulerAWS:schedule/reports/weekly",
			"GroupName": "reports", "Name": "weekly", "Target": {"Arn": "ECS:cluster/c"}}]}`,
		"/schedules/weekly reports": `{"Name": "weekly", "Target": {"Arn": "ECS:cluster/c",
			"EcsParameters": {"TaskDefinitionArn": "ECS:task-definition/job:2"}}}`,
		"DescribeTaskDefinition ECS:task-definition/job:2": taskDefinition("schedule-in-group"),
	}},
	{name: "universal-target", answers: map[string]string{
		"/schedules": `{"Schedules": [{"Arn": "arn:aws:schedulerAWS:schedule/default/hourly", "GroupName": "default", "Name": "hourly",
			"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask"}}]}`,
		"/schedules/hourly default": `{"Name": "hourly", "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask",
			"Input": "{\"Cluster\": \"c\", \"TaskDefinition\": \"job:3\"}"}}`,
		"DescribeTaskDefinition job:3": taskDefinition("universal-target"),
	}},
	{name: "pipe", answers: map[string]string{
		"/v1/pipes": `{"Pipes": [{"Arn": "arn:aws:pipesAWS:pipe/orders", "Name": "orders", "Target": "ECS:cluster/c"}]}`,
		"/v1/pipes/orders": `{"Arn": "arn:aws:pipesAWS:pipe/orders", "Name": "orders", "Target": "ECS:cluster/c",
			"TargetParameters": {"EcsTaskParameters": {"TaskDefinitionArn": "ECS:task-definition/job:4"}}}`,
		"DescribeTaskDefinition ECS:task-definition/job:4": taskDefinition("pipe"),
	}},
	{name: "state-machine-parameters", answers: stateMachine("parameters", "Parameters", "job:5", "state-machine-parameters")},
	{name: "state-machine-arguments", answers: stateMachine("arguments", "Arguments", "job:6", "state-machine-arguments")},
}

const runtime = "arn:aws:lambdaAWS:runtime/one"

var lambdaUsers = []user{
	{name: "function-version", answers: map[string]string{
		"/2015-03-31/functions": `{"Functions": [{"FunctionName": "fn", "Version": "$LATEST", "FunctionArn": "arn:aws:lambdaAWS:function:fn"},
			{"FunctionName": "fn", "Version": "3", "FunctionArn": "arn:aws:lambdaAWS:function:fn:3"}]}`,
		"/2015-03-31/functions/fn":   `{"Configuration": {}, "Code": {"ImageUri": "HOST/app@gone"}}`,
		"/2015-03-31/functions/fn 3": `{"Configuration": {}, "Code": {"ImageUri": "HOST/app@function-version"}}`,
	}},
	{name: "runtime", answers: map[string]string{
		"/2015-03-31/functions": `{"Functions": [{"FunctionName": "zip", "Version": "$LATEST", "PackageType": "Zip",
			"FunctionArn": "arn:aws:lambdaAWS:function:zip", "Runtime": "custom", "RuntimeConfig": {"RuntimeArn": "` + runtime + `"}}]}`,
		"/2015-03-31/functions/zip": `{"Configuration": {"PackageType": "Zip", "RuntimeConfig": {"RuntimeArn": "` + runtime + `"}},
			"Code": {"Location": "https://a"}}`,
		"/2026-10-01/runtimes/" + runtime + "/versions": `{"items": [{"arn": "` + runtime + `/version/1", "resolvedUri": "HOST/app@runtime"}]}`,
	}},
}

var kubernetesUsers = []user{
	{name: "init-container", answers: items("/api/v1/pods", `"spec": {"containers": [{"name": "main", "image": "nginx"}],
			"initContainers": [{"name": "init", "image": "HOST/app:init-container"}]}`)},
	{name: "image-volume", answers: items("/api/v1/pods", `"spec": {"containers": [{"name": "main", "image": "nginx"}],
			"volumes": [{"name": "data", "image": {"reference": "HOST/app:image-volume"}}]}`)},
	{name: "pod-template", answers: map[string]string{"/api/v1/podtemplates": `{"items": [{"metadata": {"name": "one"}, "template":
		{"spec": {"containers": [{"name": "main", "image": "HOST/app:pod-template"}]}}}]}`}},
	{name: "stateful-set", answers: items("/apis/apps/v1/statefulsets", `"spec": `+podTemplate("stateful-set"))},
	{name: "daemon-set", answers: items("/apis/apps/v1/daemonsets", `"spec": `+podTemplate("daemon-set"))},
	{name: "job", answers: items("/apis/batch/v1/jobs", `"spec": `+podTemplate("job"))},
	{name: "pod", answers: items("/api/v1/pods", `"spec": {"containers": [{"name": "main", "image": "HOST/app:pod"}]}`)},
	{name: "image-id", answers: items("/api/v1/pods", `"spec": {"containers": [{"name": "main", "image": "HOST/app:moved"}]},
		"status": {"containerStatuses": [{"name": "main", "image": "HOST/app:moved", "imageID": "docker-pullable://HOST/app@image-id"}]}`)},
	{name: "deployment-without-pods", answers: items("/apis/apps/v1/deployments", `"spec": `+podTemplate("deployment-without-pods"))},
	{name: "old-replica-set", answers: items("/apis/apps/v1/replicasets", `"spec": `+podTemplate("old-replica-set"))},
	{name: "controller-revision", answers: items("/apis/apps/v1/controllerrevisions", `"data": {"spec": `+podTemplate("controller-revision")+`}`)},
	{name: "cron-job", answers: items("/apis/batch/v1/cronjobs", `"spec": {"jobTemplate": {"spec": `+podTemplate("cron-job")+`}}`)},
	{name: "custom-resource", answers: with(items("/apis/argoproj.io/v1alpha1/workflowtemplates",
		`"spec": {"templates": [{"container": {"image": "HOST/app:custom-resource"}}]}`), map[string]string{
		"/apis": `{"items": [{"metadata": {"name": "argoproj.io"}, "versions": [{"version": "v1alpha1", "freshness": "Current",
			"resources": [{"resource": "workflowtemplates", "responseKind": {"kind": "WorkflowTemplate"}, "verbs": ["list"]}]}]}]}`,
	})},
}

// taskDefinition returns the answer with a task definition that has an image with the tag.
func taskDefinition(tag string) string {
	return `{"taskDefinition": {"registeredAt": 1.7e9, "containerDefinitions": [{"name": "main", "image": "HOST/app:` + tag + `"}]}}`
}

// daemon returns the answers about a managed daemon of the cluster.
func daemon(name, tag string) map[string]string {
	arn, revision := "ECS:daemon/c/"+name, "ECS:daemon-revision/c/"+name+"/1"
	return map[string]string{
		"ListDaemons":           `{"daemonSummariesList": [{"daemonArn": "` + arn + `", "status": "ACTIVE"}]}`,
		"DescribeDaemon " + arn: `{"daemon": {"daemonArn": "` + arn + `", "status": "ACTIVE", "currentRevisions": [{"arn": "` + revision + `"}]}}`,
		"DescribeDaemonRevisions": `{"daemonRevisions": [{"daemonRevisionArn": "` + revision + `",
			"daemonTaskDefinitionArn": "ECS:daemon-task-definition/` + name + `:1", "containerImages": [{"image": "HOST/app@` + tag + `"}]}]}`,
		"DescribeDaemonTaskDefinition ECS:daemon-task-definition/" + name + ":1": `{"daemonTaskDefinition":
			{"containerDefinitions": [{"name": "main", "image": "HOST/app@` + tag + `"}]}}`,
	}
}

// stateMachine returns the answers about a state machine that runs the task definition.
func stateMachine(name, field, definition, tag string) map[string]string {
	arn := "arn:aws:statesAWS:stateMachine:" + name
	text := fmt.Sprintf(`{"States": {"a": {"Resource": "arn:aws:states:::ecs:runTask.sync", %q: {"TaskDefinition": %q}}}}`, field, definition)
	return map[string]string{
		"ListStateMachines":                    `{"stateMachines": [{"stateMachineArn": "` + arn + `"}]}`,
		"DescribeStateMachine " + arn:          fmt.Sprintf(`{"stateMachineArn": %q, "definition": %q}`, arn, text),
		"DescribeTaskDefinition " + definition: taskDefinition(tag),
	}
}

// items returns the answer of a Kubernetes list with one object, which has those members.
func items(path, members string) map[string]string {
	return map[string]string{path: `{"items": [{"metadata": {"name": "one", "namespace": "default"}, ` + members + `}]}`}
}

// podTemplate returns the specification of an object that makes no pods now.
func podTemplate(tag string) string {
	return `{"replicas": 0, "template": {"spec": {"containers": [{"name": "main", "image": "HOST/app:` + tag + `"}]}}}`
}

func with(answers, more map[string]string) map[string]string {
	maps.Copy(answers, more)
	return answers
}

// An emptyAccount has clusters of ECS and EKS, and nothing that uses an image.
func emptyAccount(endpoint string, authority []byte) user {
	answers := map[string]string{
		"ListClusters":                      `{"clusterArns": ["ECS:cluster/c"]}`,
		"ListTasks":                         `{"taskArns": []}`,
		"ListServices":                      `{"serviceArns": [], "ServiceSummaryList": []}`,
		"ListServiceDeployments":            `{"serviceDeployments": []}`,
		"ListDaemons":                       `{"daemonSummariesList": []}`,
		"ListDaemonDeployments":             `{"daemonDeployments": []}`,
		"ListDaemonTaskDefinitions":         `{"daemonTaskDefinitions": []}`,
		"ListTaskDefinitionFamilies":        `{"families": []}`,
		"ListEventBuses":                    `{"EventBuses": [{"Name": "default", "Arn": "arn:aws:eventsAWS:event-bus/default"}]}`,
		"ListRuleNamesByTarget":             `{"RuleNames": []}`,
		"/schedules":                        `{"Schedules": []}`,
		"/v1/pipes":                         `{"Pipes": []}`,
		"ListStateMachines":                 `{"stateMachines": []}`,
		"ListStateMachineVersions":          `{"stateMachineVersions": []}`,
		"/2015-03-31/functions":             `{"Functions": []}`,
		"/2015-03-31/functions/fn/aliases":  `{"Aliases": []}`,
		"/2015-03-31/functions/zip/aliases": `{"Aliases": []}`,
		"ListProjects":                      `{"projects": []}`,
		"/v1/describejobdefinitions":        `{"jobDefinitions": []}`,
		"/v1/describejobqueues":             `{"jobQueues": []}`,
		"/v1/listjobs":                      `{"jobSummaryList": []}`,
		"/v1/listservicejobs":               `{"jobSummaryList": []}`,
		"/runtimes":                         `{"agentRuntimes": []}`,
		"/harnesses":                        `{"harnesses": []}`,
		"/applications":                     `{"applications": []}`,
		"/applications/a1/jobruns":          `{"jobRuns": []}`,
		"ListModels":                        `{"Models": []}`,
		"ListEndpoints":                     `{"Endpoints": []}`,
		"ListAlgorithms":                    `{"AlgorithmSummaryList": []}`,
		"ListPipelines":                     `{"PipelineSummaries": []}`,
		"ListMonitoringSchedules":           `{"MonitoringScheduleSummaries": []}`,
		"ListImages":                        `{"Images": []}`,
		"ListInferenceComponents":           `{"InferenceComponents": []}`,
		"ListHyperParameterTuningJobs":      `{"HyperParameterTuningJobSummaries": []}`,
		"ListTrainingJobs":                  `{"TrainingJobSummaries": []}`,
		"ListProcessingJobs":                `{"ProcessingJobSummaries": []}`,
		"/clusters":                         `{"clusters": ["prod"]}`,
		"/clusters/prod": fmt.Sprintf(`{"cluster": {"name": "prod", "status": "ACTIVE", "endpoint": %q,
			"certificateAuthority": {"data": %q}}}`,
			endpoint, base64.StdEncoding.EncodeToString(authority)),
		"/apis": `{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": []}`,
		"/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": `{"status": {"resourceRules": [{"verbs": ["list"],
			"apiGroups": ["argoproj.io"], "resources": ["*"]}]}}`,
		"/apis/argoproj.io/v1alpha1/workflowtemplates": `{"kind": "WorkflowTemplateList", "apiVersion": "argoproj.io/v1alpha1", "metadata": {}, "items": []}`,
	}
	for group, kinds := range map[string][]string{
		"apps/v1":  {"Deployment", "StatefulSet", "DaemonSet", "ControllerRevision", "ReplicaSet"},
		"batch/v1": {"CronJob", "Job"}, "v1": {"ReplicationController", "PodTemplate", "Pod"},
	} {
		for _, kind := range kinds {
			path := "/apis/" + group
			if group == "v1" {
				path = "/api/v1"
			}
			answers[path+"/"+strings.ToLower(kind)+"s"] = fmt.Sprintf(`{"kind": "%sList", "apiVersion": %q, "metadata": {}, "items": []}`, kind, group)
		}
	}
	return user{answers: answers}
}

// newAccount returns a registry with an image for each user, and as many without one, in an
// account without users.
func newAccount(t *testing.T, users []user) (*fixture, *awsAccount) {
	t.Helper()
	f := registryFor(users)
	a := newPlace(t, f.journal, account, region)
	f.connect(t, a)
	return f, a
}

// registryFor returns a registry with an image for each user, and as many without one.
func registryFor(users []user) *fixture {
	images := "untagged 90d\n"
	for _, u := range users {
		images += fmt.Sprintf("%s 90d #%s\nun%s 90d #un%s\n", u.name, u.name, u.name, u.name)
	}
	return emptyFixture(draw(images))
}

// newPlace returns the account in the Region, without users.
func newPlace(t *testing.T, registry http.Handler, account, region string) *awsAccount {
	t.Helper()
	a := &awsAccount{registry: registry, spell: spelling(account, region)}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	a.empty = emptyAccount(server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	return a
}

// applyFor applies the configuration while the account has these users, and checks that
// the registry then has their images only.
func (a *awsAccount) applyFor(t *testing.T, f *fixture, text string, users []user) {
	t.Helper()
	a.become(users)
	report := f.apply(t, text)
	sameLines(t, "skipped", skips(&report), "")
	f.wantImagesOf(t, users)
}

// wantImagesOf checks that the registry has the images of these users, and no others.
func (f *fixture) wantImagesOf(t *testing.T, users []user) {
	t.Helper()
	left, want := []string{}, []string{}
	for _, im := range f.server.Images("app") {
		left = append(left, f.names[im.Digest])
	}
	for _, u := range users {
		want = append(want, u.name)
	}
	slices.Sort(left)
	slices.Sort(want)
	awstest.Equal(t, "images", want, left)
}

// The newest revision of a family is in use as long as something names another revision of
// the family. Without that, the family is idle.
func TestAFamilyIsInUseWhileSomethingNamesIt(t *testing.T) {
	t.Parallel()
	family := ecsUsers[slices.IndexFunc(ecsUsers, func(u user) bool { return u.name == "newest-revision" })]
	text := configuration("expire any pushed>30", `"inUse": ["ecs"], "taskDefinitionRevisions": 1, "ecs": {"familyDays": 30}`, "")
	for _, pinned := range pinnedUsers {
		f, a := newAccount(t, []user{family, pinned})
		a.applyFor(t, f, text, []user{family, pinned})
		a.become([]user{family})
		report := f.apply(t, text)
		sameLines(t, "skipped", skips(&report), "")
		sameLines(t, "outcomes", f.outcomes(&report), "newest-revision: expire, deleted\n"+pinned.name+": expire, deleted")
	}
}
