package kubernetes_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

const (
	memberRegion = "us-east-1"
	// asMember has clusters in another account as the only source.
	asMember = `"inUse": [], "accounts": [{"roleArn": "` + memberRole + `", "regions": ["` + memberRegion + `"], "inUse": ["eks"]}]`
	mayPull  = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:BatchGetImage"}]}`
)

// A cluster in another account and Region takes the token of the role there. Without an
// access entry, repositories that the account may pull from keep all images.
func TestAClusterInAnotherAccount(t *testing.T) {
	t.Parallel()
	s := &site{startIn(t, memberRegion), newAccount(t), map[string]string{}}
	member, sts := &account{clusters: map[string]object{}}, &inusetest.STS{}
	member.add(clusterName, s.url, s.ca, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch account, region, service := inusetest.Signer(r); {
		case service == "sts":
			sts.ServeHTTP(w, r)
		case account == "222222222222" && region == memberRegion:
			member.ServeHTTP(w, r)
		default:
			s.account.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.endpoint = server.URL
	s.allow(builtIns...)
	s.push("app:v1", "app:v2", "open:v1", "open:v2")
	s.registry.SetRepositoryPolicy("open", mayPull)
	s.create(pods, pod("p", "open:v1"))

	r := s.applyAs(cleanerKey, 3, asMember)
	s.wantLeft("open:v1", "open:v2")
	awstest.Contains(t, r.Repositories[1].Message, "in-use scan: eks@222222222222/"+memberRegion+": role "+memberRole, "401",
		"aws eks create-access-entry --cluster-name prod", "--principal-arn "+memberRole)

	s.grant(memberRole)
	s.push("app:v1", "app:v2")
	s.create(pods, pod("q", "app:v2"))
	s.apply(asMember)
	s.wantLeft("app:v2", "open:v1")
}
