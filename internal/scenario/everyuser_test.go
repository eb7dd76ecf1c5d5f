package scenario_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	inuseservices "github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const (
	otherRegion  = "us-east-1"
	otherAccount = "222222222222"
	lists        = "s3://lists/all/"
)

// usersOf has users of each kind by their source: a service, or a list.
var usersOf = map[string][]user{
	"ecs": slices.Concat(ecsUsers, pinnedUsers), "lambda": lambdaUsers, "eks": kubernetesUsers, "apprunner": appRunnerUsers,
	"batch": batchUsers, "codebuild": codeBuildUsers, "sagemaker": sageMakerUsers, "bedrock-agentcore": agentCoreUsers,
	"emr-serverless":       emrServerlessUsers,
	"s3://lists/hosts.txt": {{name: "list", location: "s3://lists/hosts.txt", list: host + "/app:list # on a server\n"}},
	"s3://lists/kubectl":   {{name: "kubectl", location: "s3://lists/kubectl", list: strings.ReplaceAll(kubectl, "HOST", host)}},
	lists:                  {listUser("unexpected-list", "444444444444")},
	lists + expected:       {listUser("expected-list", expected[:12])},
}

const (
	expected = "333333333333/" + region
	kubectl  = `{"kind": "List", "apiVersion": "v1", "items": [{"kind": "Deployment", "apiVersion": "apps/v1", "metadata":
		{"name": "web", "namespace": "default"}, "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "HOST/app:kubectl"}]}}}}]}`
)

// place returns the place in the name of the source, or "" for that of the registry.
func (u user) place() string {
	_, place, _ := strings.Cut(u.source, "@")
	return place
}

// listUser is a user in a list of the account, which is below the prefix.
func listUser(name, account string) user {
	location := lists + account + "/" + region + ".json"
	return user{name: name, location: location, list: strings.ReplaceAll(
		awstest.ListOf(account, region, 0, host+"/app:"+name), "task/0", location)}
}

// in returns the user in another place, with the image of another name.
func (u user) in(place string) user {
	moved := user{name: u.name + "-in-" + place, answers: map[string]string{}}
	renamed := strings.NewReplacer("app:"+u.name, "app:"+moved.name, "@"+u.name, "@"+moved.name, digestOf(u.name), digestOf(moved.name))
	for key, answer := range u.answers {
		moved.answers[key] = renamed.Replace(answer)
	}
	return moved
}

// An organization is an AWS with S3 and STS, and has a registry. Each of its places has users,
// and a name as in the names of sources: "" is the account and the Region of the registry.
type organization struct {
	places map[string]*awsAccount
	sts    inusetest.STS
	s3     awstest.S3
}

func newOrganization(t *testing.T, f *fixture) *organization {
	t.Helper()
	o := &organization{places: map[string]*awsAccount{
		"": newPlace(t, f.journal, account, region), otherRegion: newPlace(t, f.journal, account, otherRegion),
		otherAccount + "/" + region: newPlace(t, f.journal, otherAccount, region),
	}}
	f.connect(t, o)
	return o
}

func (o *organization) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch account, in, service := inusetest.Signer(r); {
	case service == "s3":
		o.s3.ServeHTTP(w, r)
	case service == "sts":
		o.sts.ServeHTTP(w, r)
	case account != "":
		o.places[account+"/"+in].ServeHTTP(w, r)
	case in == region:
		o.places[""].ServeHTTP(w, r)
	default:
		o.places[in].ServeHTTP(w, r)
	}
}

// become makes the places have these users. The list of another user has another reference.
func (o *organization) become(t *testing.T, f *fixture, users []user) {
	t.Helper()
	for name, place := range o.places {
		place.become(slices.DeleteFunc(slices.Clone(users), func(u user) bool { return u.place() != name }))
	}
	for _, one := range usersOf {
		for _, u := range one {
			if !slices.ContainsFunc(users, func(other user) bool { return other.name == u.name }) {
				u.list = strings.ReplaceAll(u.list, "/app:"+u.name, "/base:v1")
			}
			if u.list != "" {
				awstest.NoError(t, f.registry.PutObject(t.Context(), u.location, []byte(u.list)))
			}
		}
	}
}

// everySource configures all services that there are, in each kind of place, and each kind
// of list.
func everySource(t *testing.T) string {
	t.Helper()
	names := []string{}
	for _, service := range inuseservices.Table {
		names = append(names, service.Name)
	}
	protect, err := json.Marshal(map[string]any{
		"inUse": names, "taskDefinitionRevisions": 1, "regions": []string{otherRegion},
		"accounts":   []any{map[string]any{"roleArn": "arn:aws:iam::" + otherAccount + ":role/ecr-cleaner-member", "inUse": names}},
		"references": []string{"s3://lists/hosts.txt", "s3://lists/kubectl", lists}, "expect": []string{expected},
	})
	awstest.NoError(t, err)
	return configuration("expire any pushed>30", string(protect[1:len(protect)-1]), "")
}

// everyUser returns a user for each source of the configuration: in the registry's account and
// Region one of each kind, elsewhere one for each service.
func everyUser(t *testing.T, text string) (users []user) {
	t.Helper()
	c, problems := config.Parse([]byte(text))
	awstest.NoError(t, problems.Err())
	for _, source := range c.InRegion(region).Protect.Sources() {
		service, place, elsewhere := strings.Cut(source, "@")
		of := slices.Clone(usersOf[service])
		if len(of) == 0 {
			t.Fatalf("%s has no user; add one to usersOf", source)
		}
		if elsewhere {
			of = []user{of[0].in(strings.ReplaceAll(place, "/", "-"))}
		}
		for i := range of {
			of[i].source = source
		}
		users = append(users, of...)
	}
	return users
}

// Each image has one user, and each in-use source has one or more. The other half of the
// images is deleted in one run. An image is deleted in the first run after its user is gone.
func TestEverythingInUseStays(t *testing.T) {
	t.Parallel()
	text := everySource(t)
	users := everyUser(t, text)
	f := registryFor(users)
	o := newOrganization(t, f)
	for gone := range len(users) + 1 {
		left := users[gone:]
		o.become(t, f, left)
		report := f.apply(t, text)
		awstest.Equal(t, "everything is handled", true, report.Handled())
		f.wantImagesOf(t, left)
		f.wantReasons(t, &report, left)
		if t.Failed() {
			t.Fatalf("without the first %d users", gone)
		}
	}
}

// wantReasons checks that the report says which source keeps the image of each user.
func (f *fixture) wantReasons(t *testing.T, r *report.Report, users []user) {
	t.Helper()
	by := map[string][]plan.Protection{}
	for _, im := range r.Repositories[0].Images {
		by[f.names[im.ImageDigest]] = im.ProtectedBy
	}
	for _, u := range users {
		reason := reasonOf(u.source)
		other := func(p plan.Protection) bool { return p.Kind != plan.ByInUse || !reason.MatchString(p.By) }
		if len(by[u.name]) == 0 || slices.ContainsFunc(by[u.name], other) {
			t.Errorf("%s is protected by %v, want inUse %s", u.name, by[u.name], reason)
		}
	}
}

// reasonOf returns the pattern of the reason for an image that only the source uses.
func reasonOf(source string) *regexp.Regexp {
	service, place, _ := strings.Cut(source, "@")
	switch service {
	case "eks":
		return regexp.MustCompile(`\(EKS cluster prod` + strings.TrimSuffix(" in "+place, " in ") + `\)$`)
	case "s3://lists/kubectl":
		return regexp.MustCompile("^deployment default/web$")
	case "ecs":
		service = "(ecs|events|scheduler|pipes|states)"
	}
	if strings.HasPrefix(service, "s3:") {
		return regexp.MustCompile("^" + service)
	}
	id, in, isAccount := strings.Cut(place, "/")
	if !isAccount {
		id, in = account, cmp.Or(place, region)
	}
	return regexp.MustCompile("^arn:aws:" + service + ":" + in + ":" + id + ":")
}
