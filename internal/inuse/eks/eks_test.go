package eks_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseks "github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

const role = "arn:aws:sts::123456789012:assumed-role/ecr-cleaner/session"

// images returns the images that the source says are in use, and the messages of findings.
func images(t *testing.T, source inuse.Source) (found, messages []string, err error) {
	t.Helper()
	for use, failure := range source.Uses(t.Context()) {
		switch {
		case failure != nil:
			err = failure
		case use.Finding.Kind != "":
			awstest.Equal(t, "kind of the finding", finding.ClusterNotReady, use.Finding.Kind)
			messages = append(messages, use.Finding.Message)
		default:
			found = append(found, strings.TrimPrefix(use.Reference.String(), inusetest.Registry))
		}
	}
	slices.Sort(found)
	slices.Sort(messages)
	return found, messages, err
}

func wantImages(t *testing.T, source inuse.Source, want ...string) {
	t.Helper()
	found, messages, err := images(t, source)
	if err != nil || len(messages) > 0 || !slices.Equal(found, want) {
		t.Errorf("got %v, findings %v and error %v, want %v", found, messages, err, want)
	}
}

func wantFailure(t *testing.T, source inuse.Source, words ...string) {
	t.Helper()
	_, _, err := images(t, source)
	awstest.ErrorContains(t, err, words...)
}

func TestEveryClusterIsQueried(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{page: 2}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		f.add(name, inusetest.NewKubernetes(t, inusetest.Registry+"app-"+name+":v1"))
	}
	wantImages(t, f.source(t), "app-a:v1", "app-b:v1", "app-c:v1", "app-d:v1", "app-e:v1")
	awstest.Equal(t, "ListClusters calls", 3, f.Count("ListClusters"))
	wantImages(t, f.source(t, "a", "d*", "x*"), "app-a:v1", "app-d:v1")
	awstest.Equal(t, "DescribeCluster calls", 7, f.Count("DescribeCluster"))
}

func TestWithoutClustersNothingIsInUse(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{}
	wantImages(t, f.source(t))
	wantImages(t, f.source(t, "prod-*"))
}

func TestANamedClusterMustExist(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{}
	f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"))
	wantFailure(t, f.source(t, "prod", "prdo"), `there is no cluster "prdo" in this account and Region; correct protect.eksClusters`)
}

func TestFaultsOfEKSFailTheSource(t *testing.T) {
	t.Parallel()
	for operation, doing := range map[string]string{"ListClusters": "list clusters: ", "DescribeCluster": "describe cluster prod: "} {
		for code, test := range map[string]struct {
			status int
			want   string
		}{
			"AccessDeniedException":    {http.StatusForbidden, "; allow the action eks:" + operation},
			"TooManyRequestsException": {http.StatusTooManyRequests, "TooManyRequestsException"},
			"ServerException":          {http.StatusInternalServerError, "ServerException"},
		} {
			f := &fakeEKS{faults: map[string]fault{operation: {test.status, code}}}
			f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"))
			wantFailure(t, f.source(t), doing, test.want)
		}
		f := &fakeEKS{answers: map[string]object{operation: {"message": "hello"}}}
		f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"))
		wantFailure(t, f.source(t), doing, "the answer is empty")
	}
}

func TestAClusterThatIsDeletedMeanwhileIsSkipped(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{names: []string{"gone"}}
	f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"))
	wantImages(t, f.source(t), "app:v1")
}

func TestStatusesOfClusters(t *testing.T) {
	t.Parallel()
	for status, test := range map[string]struct{ running, silent, without string }{
		"ACTIVE":   {"app:v1", "failure", "failure"},
		"UPDATING": {"app:v1", "failure", "failure"},
		"FAILED":   {"app:v1", "failure", "finding"},
		"SLEEPING": {"app:v1", "failure", "failure"}, // a status of tomorrow
		"DELETING": {"app:v1", "finding", "finding"},
		"CREATING": {"finding", "finding", "finding"},
		"PENDING":  {"finding", "finding", "finding"},
	} {
		for endpoint, want := range map[string]string{"": test.running, "https://127.0.0.1:1": test.silent, "none": test.without} {
			f := &fakeEKS{}
			cluster := f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"))
			cluster["status"] = status
			switch endpoint {
			case "":
			case "none":
				delete(cluster, "endpoint")
			default:
				cluster["endpoint"] = endpoint
			}
			found, messages, err := images(t, f.source(t))
			got := strings.Join(found, " ")
			switch {
			case err != nil:
				got = "failure"
				awstest.ErrorContains(t, err, "EKS cluster prod: ")
			case len(messages) > 0:
				got = "finding"
				awstest.Equal(t, "message", []string{"EKS cluster prod was not queried, because its status is " + status}, messages)
			}
			awstest.Equal(t, status+" with endpoint "+endpoint, want, got)
		}
	}
}

// A refusal is an answer, and nothing is known about the pods.
func TestAClusterThatIsBeingDeletedMustNotRefuse(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{caller: role}
	api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	api.Status = http.StatusUnauthorized
	f.add("prod", api)["status"] = "DELETING"
	wantFailure(t, f.source(t), "EKS cluster prod: ", "401")
}

func TestDescriptionsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(cluster object){
		`the endpoint "http://127.0.0.1:1" of the cluster is not an https URL`: func(c object) { c["endpoint"] = "http://127.0.0.1:1" },
		"the answer has no readable certificate authority":                     func(c object) { delete(c, "certificateAuthority") },
		"no readable certificate authority":                                    func(c object) { c["certificateAuthority"] = object{"data": "aGVsbG8="} },
		"readable certificate authority":                                       func(c object) { c["certificateAuthority"] = object{"data": "%"} },
		"the answer has no cluster with a status":                              func(c object) { delete(c, "status") },
	} {
		f := &fakeEKS{}
		change(f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")))
		wantFailure(t, f.source(t), want)
	}
}

// The certificate authority in the description is the only trusted one.
func TestAnotherServerIsNotTrusted(t *testing.T) {
	t.Parallel()
	api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	f := &fakeEKS{}
	f.add("prod", api)["certificateAuthority"] = object{"data": otherAuthority(t)}
	wantFailure(t, f.source(t), "EKS cluster prod: ", "certificate signed by unknown authority")
	token, _ := api.Client()
	awstest.Equal(t, "token that the server got", "", token)
}

func TestEachClusterThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{}
	for _, name := range []string{"a", "b", "c"} {
		f.add(name, inusetest.NewKubernetes(t, inusetest.Registry+"app-"+name+":v1"))
	}
	f.clusters["a"]["endpoint"], f.clusters["c"]["endpoint"] = "", ""
	source := f.source(t)
	found, _, err := images(t, source)
	awstest.ErrorContains(t, err, "EKS cluster a: ", "; EKS cluster c: ")
	awstest.Equal(t, "images of the others", []string{"app-b:v1"}, found)
}

func TestARefusalSaysHowToGiveAccess(t *testing.T) {
	t.Parallel()
	const bind = "; then give its group the ClusterRole: ecrclean kubernetes-role | kubectl apply -f -"
	for name, test := range map[string]struct {
		status             int
		mode, caller, want string
	}{
		"API": {
			401, "API", role, "; create an access entry: aws eks create-access-entry --cluster-name prod " +
				"--principal-arn arn:aws:iam::123456789012:role/ecr-cleaner --kubernetes-groups ecr-cleaner (with the path of the role, if it has one)" + bind,
		},
		"API and ConfigMap": {401, "API_AND_CONFIG_MAP", role, "; create an access entry: "},
		"ConfigMap": {
			401, "CONFIG_MAP", role, "; add to mapRoles in the ConfigMap aws-auth in kube-system: " +
				"- {rolearn: arn:aws:iam::123456789012:role/ecr-cleaner, username: ecr-cleaner, groups: [ecr-cleaner]}" + bind,
		},
		"a user": {
			401, "CONFIG_MAP", "arn:aws-cn:iam::123456789012:user/me", "add to mapUsers in the ConfigMap aws-auth in kube-system: " +
				"- {userarn: arn:aws-cn:iam::123456789012:user/me, username: ecr-cleaner, groups: [ecr-cleaner]}",
		},
		"a user, API":    {401, "API", "arn:aws:iam::123456789012:user/me", "--principal-arn arn:aws:iam::123456789012:user/me --kubernetes-groups ecr-cleaner" + bind},
		"unknown caller": {401, "API", "", "--principal-arn arn:aws:iam::ACCOUNT:role/ROLE --kubernetes-groups"},
		"no rights":      {403, "API", role, "has the group ecr-cleaner"},
	} {
		f := &fakeEKS{caller: test.caller}
		api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
		api.Status = test.status
		f.add("prod", api)["accessConfig"] = object{"authenticationMode": test.mode}
		t.Run(name, func(t *testing.T) { wantFailure(t, f.source(t), "EKS cluster prod: ", test.want) })
	}
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for want, vpc := range map[string]object{
		"; its endpoint is private: set the parameters SubnetIds and SecurityGroupIds":       {"endpointPublicAccess": false},
		"; its public endpoint admits only 192.0.2.0/24, 192.0.3.0/24: run the cleaner from": {"endpointPublicAccess": true, "publicAccessCidrs": []string{"192.0.2.0/24", "192.0.3.0/24"}},
		"; check the network; ": {"endpointPublicAccess": true, "publicAccessCidrs": []string{"0.0.0.0/0"}},
	} {
		f := &fakeEKS{}
		cluster := f.add("prod", inusetest.NewKubernetes(t, inusetest.Registry+"app:v1"))
		cluster["endpoint"], cluster["resourcesVpcConfig"] = "https://127.0.0.1:1", vpc
		wantFailure(t, f.source(t), "EKS cluster prod: ", want, "; or leave it out with protect.eksClusters, and name a list")
	}
}

// The server gets a token for the cluster, by its id if it is on an Outpost.
func TestTheServerGetsAToken(t *testing.T) {
	t.Parallel()
	api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	f := &fakeEKS{}
	cluster := f.add("prod", api)
	wantImages(t, f.source(t), "app:v1")
	first, _ := api.Client()
	if !strings.HasPrefix(first, "k8s-aws-v1.") {
		t.Errorf("the token is %q", first)
	}
	cluster["id"] = "local-id"
	wantImages(t, f.source(t), "app:v1")
	if second, _ := api.Client(); second == first {
		t.Error("the token does not depend on the id")
	}
}

func TestTheCallerCanStop(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		f.add(name, inusetest.NewKubernetes(t, inusetest.Registry+"app-"+name+":v1"))
	}
	for _, err := range f.source(t).Uses(t.Context()) {
		awstest.NoError(t, err)
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, last = range f.source(t).Uses(ctx) {
	}
	awstest.ErrorIs(t, "after the context has ended", last, context.Canceled)
}

// A sent call is a request to EKS.
type sent struct {
	Method, Path string
	Query        url.Values
}

// The requests are those of the SDK's own client, and it reads the same from the answers.
func TestTheCallsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	f := &fakeEKS{page: 1}
	api := inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	f.add("dev", api)
	f.add("prod", api)
	f.clusters["prod"]["newField"] = object{"of": "tomorrow"}
	var calls []sent
	cfg := inusetest.Config(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls = append(calls, sent{r.Method, r.URL.Path, r.URL.Query()})
		f.ServeHTTP(w, r)
	}))
	wantImages(t, newSource(cfg, "prod"), "app:v1")
	own := calls
	calls = nil
	client := awseks.NewFromConfig(cfg)
	pages := awseks.NewListClustersPaginator(client, &awseks.ListClustersInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		_, err := pages.NextPage(t.Context())
		awstest.NoError(t, err)
	}
	out, err := client.DescribeCluster(t.Context(), &awseks.DescribeClusterInput{Name: aws.String("prod")})
	awstest.NoError(t, err)
	awstest.Equal(t, "calls", calls, own)
	awstest.Equal(t, "fields of the fake that the SDK reads", []string{api.URL, "ACTIVE", "API", "0.0.0.0/0", base64.StdEncoding.EncodeToString(api.Authority())}, []string{
		*out.Cluster.Endpoint, string(out.Cluster.Status), string(out.Cluster.AccessConfig.AuthenticationMode),
		out.Cluster.ResourcesVpcConfig.PublicAccessCidrs[0], *out.Cluster.CertificateAuthority.Data,
	})
	_, err = client.DescribeCluster(t.Context(), &awseks.DescribeClusterInput{Name: aws.String("gone")})
	if !query.HasCode(err, "ResourceNotFoundException") {
		t.Errorf("the SDK reads %v", err)
	}
}
