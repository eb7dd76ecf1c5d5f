package scenario_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// everyUser has one user of each kind that the in-use sources know.
var everyUser = []user{
	{name: "task", answers: map[string]string{
		"ListTasks":     `{"taskArns": ["ECS:task/c/1"]}`,
		"DescribeTasks": `{"tasks": [{"taskArn": "ECS:task/c/1", "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "containers": [{"image": "HOST/app@task"}]}]}`,
	}},
	{name: "service", answers: map[string]string{
		"ListServices":     `{"serviceArns": ["ECS:service/c/web"]}`,
		"DescribeServices": `{"services": [{"serviceArn": "ECS:service/c/web", "status": "ACTIVE", "desiredCount": 0, "taskDefinition": "ECS:task-definition/web:1"}]}`,
		"DescribeTaskDefinition ECS:task-definition/web:1": definition("service"),
	}},
	{name: "newest-revision", answers: map[string]string{
		"ListTaskDefinitionFamilies":                       `{"families": ["job"]}`,
		"ListTaskDefinitions":                              `{"taskDefinitionArns": ["ECS:task-definition/job:8", "ECS:task-definition/job:1"]}`,
		"DescribeTaskDefinition ECS:task-definition/job:8": definition("newest-revision"),
	}},
	{name: "function-version", answers: map[string]string{
		"/2015-03-31/functions":      `{"Functions": [{"FunctionName": "fn", "Version": "$LATEST", "FunctionArn": "fn"}, {"FunctionName": "fn", "Version": "3", "FunctionArn": "fn:3"}]}`,
		"/2015-03-31/functions/fn":   `{"Configuration": {}, "Code": {"ImageUri": "HOST/base:v1"}}`,
		"/2015-03-31/functions/fn 3": `{"Configuration": {}, "Code": {"ImageUri": "HOST/app@function-version"}}`,
	}},
	{name: "list", list: "HOST/app:list # in another account\n"},
}

// definition returns a task definition with that tag.
func definition(tag string) string {
	return `{"taskDefinition": {"containerDefinitions": [{"name": "main", "image": "HOST/app:` + tag + `"}]}}`
}

// emptyAccount has a cluster and nothing that uses an image.
var emptyAccount = user{answers: map[string]string{
	"ListClusters":                     `{"clusterArns": ["ECS:cluster/c"]}`,
	"ListTasks":                        `{"taskArns": []}`,
	"ListServices":                     `{"serviceArns": []}`,
	"ListServiceDeployments":           `{"serviceDeployments": []}`,
	"ListTaskDefinitionFamilies":       `{"families": []}`,
	"/2015-03-31/functions":            `{"Functions": []}`,
	"/2015-03-31/functions/fn/aliases": `{"Aliases": []}`,
}}

// Each image has one user, of a different kind. The others are deleted in one run. An
// image is deleted in the first run after its user is gone.
func TestEachKindOfUserKeepsItsImage(t *testing.T) {
	t.Parallel()
	var images strings.Builder
	var names, lists []string
	directory := t.TempDir()
	for _, u := range everyUser {
		names = append(names, u.name)
		fmt.Fprintf(&images, "%s 90d #%s\n", u.name, u.name)
		if u.list != "" {
			lists = append(lists, filepath.Join(directory, u.name))
		}
	}
	f := emptyFixture(draw(images.String() + "unused 90d #v1\nuntagged 90d"))
	a := &awsAccount{registry: f.journal}
	f.connect(t, a)
	references, err := json.Marshal(lists)
	awstest.NoError(t, err)
	text := configuration("expire any pushed>30", `"inUse": ["ecs", "lambda"], "taskDefinitionRevisions": 1, "references": `+string(references), "")
	for gone := range len(everyUser) + 1 {
		a.become(t, directory, everyUser[gone:])
		report := f.apply(t, text)
		sameLines(t, "skipped", skips(&report), "")
		var left []string
		for _, im := range f.server.Images("app") {
			left = append(left, f.names[im.Digest])
		}
		slices.Sort(left)
		awstest.Equal(t, fmt.Sprintf("images after %q", names[:gone]), slices.Sorted(slices.Values(names[gone:])), left)
	}
}

// become makes the account have these users, and writes their lists to the directory.
func (a *awsAccount) become(t *testing.T, directory string, users []user) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users = append([]user{emptyAccount}, users...)
	for _, u := range everyUser {
		if u.list == "" {
			continue
		}
		text := host + "/base:v1\n"
		if slices.ContainsFunc(users, func(other user) bool { return other.name == u.name }) {
			text = spellAnswer.Replace(u.list)
		}
		awstest.NoError(t, os.WriteFile(filepath.Join(directory, u.name), []byte(text), 0o600))
	}
}
