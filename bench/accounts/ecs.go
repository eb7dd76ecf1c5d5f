package accounts

import (
	"fmt"
	"strconv"
	"strings"
)

// sidecar is the second container of each task.
const sidecar = "public.ecr.aws/aws-observability/aws-otel-collector:v0.40.0"

// ecs answers the calls of ECS.
func (s *Server) ecs(c call) string {
	in := c.in
	switch c.operation {
	case "ListClusters":
		return object("clusterArns", quoted(c.cluster()), "")
	case "ListTasks":
		if in.DesiredStatus != "RUNNING" {
			return object("taskArns", nil, "")
		}
		return c.list("taskArns", c.tasks, func(n int) string { return strconv.Quote(c.place.ecs("task", n)) })
	case "DescribeTasks":
		return describe("tasks", in.Tasks, func(n int) string { return s.task(c.place, n) })
	case "ListServices":
		return c.list("serviceArns", c.services, func(n int) string { return strconv.Quote(c.place.ecs("service", n)) })
	case "DescribeServices":
		return describe("services", in.Services, c.describeService)
	case "ListServiceDeployments":
		n := number(in.Service)
		return object("serviceDeployments", []string{fmt.Sprintf(
			`{"serviceDeploymentArn": %q, "targetServiceRevisionArn": %q, "status": "SUCCESSFUL", "createdAt": 1790000000}`,
			c.place.ecs("service-deployment", n), c.place.ecs("service-revision", n))}, "")
	case "DescribeServiceDeployments":
		return describe("serviceDeployments", in.ServiceDeploymentArns, func(n int) string {
			return fmt.Sprintf(`{"serviceDeploymentArn": %q, "status": "SUCCESSFUL", "targetServiceRevision": {"arn": %q}}`,
				c.place.ecs("service-deployment", n), c.place.ecs("service-revision", n))
		})
	case "DescribeServiceRevisions":
		return describe("serviceRevisions", in.ServiceRevisionArns, func(n int) string { return s.revision(c.place, n) })
	case "ListTaskDefinitionFamilies":
		return c.list("families", c.families, func(n int) string { return strconv.Quote(fmt.Sprint("family-", n)) })
	case "ListTaskDefinitions":
		return c.list("taskDefinitionArns", revisions, func(n int) string {
			return strconv.Quote(c.definition(number(in.FamilyPrefix), revisions-n))
		})
	case "DescribeTaskDefinition":
		return s.describeDefinition(c.place, in.TaskDefinition)
	case "ListDaemons":
		return object("daemonSummariesList", nil, "")
	case "ListDaemonTaskDefinitions":
		return object("daemonTaskDefinitions", nil, "")
	}
	return "{}"
}

// list returns one page of the items from 0 to n.
func (c call) list(name string, n int, item func(int) string) string {
	from, to, next := page(n, c.in.NextToken, max(c.in.MaxResults, 1))
	var items []string
	for i := from; i < to; i++ {
		items = append(items, item(i))
	}
	return object(name, items, next)
}

// describe returns the items with the ARNs, whose numbers are at their ends.
func describe(name string, arns []string, item func(int) string) string {
	var items []string
	for _, arn := range arns {
		items = append(items, item(number(arn)))
	}
	return object(name, items, "")
}

func quoted(text string) []string { return []string{strconv.Quote(text)} }

// number returns the number at the end of a name.
func number(name string) int {
	n, _ := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:]) // all names have one
	return n
}

func (s *Server) task(p place, n int) string {
	im := s.scale.image(p, fmt.Sprint("task", n))
	arn := p.ecs("task", n)
	return fmt.Sprintf(`{"taskArn": %[1]q, "clusterArn": %[2]q, "taskDefinitionArn": %[3]q, "desiredStatus": "RUNNING", "lastStatus": "RUNNING",
  "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux", "cpu": "256", "memory": "512", "group": "service:service-1",
  "startedBy": "ecs-svc/1234567890123456789", "version": 5, "createdAt": 1790000000.1, "startedAt": 1790000010.2, "connectivity": "CONNECTED",
  "attachments": [{"id": "11111111-2222-3333-4444-555555555555", "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": [
    {"name": "subnetId", "value": "subnet-0123456789abcdef0"}, {"name": "networkInterfaceId", "value": "eni-0123456789abcdef0"},
    {"name": "macAddress", "value": "02:00:00:00:00:01"}, {"name": "privateIPv4Address", "value": "10.0.0.1"}]}],
  "containers": [
    {"containerArn": %[1]q, "taskArn": %[1]q, "name": "app", "image": %[4]q, "imageDigest": %[5]q, "runtimeId": "0123456789-1",
     "lastStatus": "RUNNING", "networkInterfaces": [], "healthStatus": "HEALTHY", "cpu": "192", "memory": "384"},
    {"containerArn": %[1]q, "taskArn": %[1]q, "name": "otel", "image": %[6]q, "imageDigest": %[7]q, "runtimeId": "0123456789-2",
     "lastStatus": "RUNNING", "networkInterfaces": [], "healthStatus": "HEALTHY", "cpu": "64", "memory": "128"}]}`,
		arn, p.cluster(), p.definition(n%p.families, revisions), im.name(), im.digest, sidecar, "sha256:"+strings.Repeat("5", 64))
}

// describeService returns a service with as many events as ECS keeps.
func (c call) describeService(n int) string {
	const event = `{"id": "11111111-2222-3333-4444-555555555555", "createdAt": 1790000000.1, "message": "(service service-1) has reached a steady state."}`
	arn := c.place.ecs("service", n)
	return fmt.Sprintf(`{"serviceArn": %q, "serviceName": "service-%d", "clusterArn": %q, "status": "ACTIVE", "desiredCount": 2, "runningCount": 2,
  "taskDefinition": %q, "currentServiceDeployment": %q, "currentServiceRevisions": [{"arn": %q}], "deployments": [], "events": [%s]}`,
		arn, n, c.cluster(), c.definition(n%c.families, revisions), c.place.ecs("service-deployment", n), c.place.ecs("service-revision", n),
		strings.Repeat(event+", ", 99)+event)
}

func (s *Server) revision(p place, n int) string {
	im := s.scale.image(p, fmt.Sprint("service", n))
	return fmt.Sprintf(`{"serviceRevisionArn": %q, "taskDefinition": %q, "containerImages": [{"containerName": "app", "image": %q, "imageDigest": %q}]}`,
		p.ecs("service-revision", n), p.definition(n%p.families, revisions), im.name(), im.digest)
}

func (s *Server) describeDefinition(p place, arn string) string {
	family, revision, _ := strings.Cut(arn[strings.LastIndexByte(arn, '/')+1:], ":")
	r, _ := strconv.Atoi(revision) // the ARN has one
	im := s.scale.image(p, fmt.Sprint("family", number(family)*revisions+r-1))
	const environment = `{"name": "SETTING_OF_THE_APPLICATION", "value": "a value of usual length"}`
	return fmt.Sprintf(`{"taskDefinition": {"taskDefinitionArn": %q, "family": %q, "revision": %d, "status": "ACTIVE", "registeredAt": 1790000000.1,
  "networkMode": "awsvpc", "cpu": "256", "memory": "512", "volumes": [], "placementConstraints": [], "containerDefinitions": [
    {"name": "app", "image": %q, "cpu": 192, "portMappings": [{"containerPort": 80, "protocol": "tcp"}], "essential": true, "environment": [%s],
     "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "app", "awslogs-region": %q}}},
    {"name": "otel", "image": %q, "cpu": 64, "essential": false}]}}`,
		arn, family, r, im.name(), strings.Repeat(environment+", ", 19)+environment, p.region, sidecar)
}
