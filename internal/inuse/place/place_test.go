package place_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/place"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	assumed "github.com/ecr-cleaner/ecr-cleaner/internal/role"
)

// A cloud plays STS, ECS and Lambda in all accounts and Regions. Each has an ECS service,
// whose image has the place as its tag.
type cloud struct {
	inusetest.STS
	// fault returns the status and the code of an error of a service, or the status 0. It may
	// panic with http.ErrAbortHandler, which breaks the connection.
	fault func(account, region, service string) (status int, code string)
	eks   *inusetest.Kubernetes // the only cluster of each account and Region, or nil

	session string // the name of the sessions
	server  aws.Config
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{session: "run-1"}
	c.server = awstest.Serve(t, c)
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	account, region, service := inusetest.Signer(r)
	if service == "sts" {
		c.STS.ServeHTTP(w, r)
		return
	}
	if service == "eks" {
		c.cluster(w, r)
		return
	}
	if c.fault != nil {
		if status, code := c.fault(account, region, service); status != 0 {
			w.Header().Set("X-Amzn-Errortype", code)
			inusetest.Answer(w, status, inusetest.Object{"message": "not today"})
			return
		}
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	answer, known := map[string]inusetest.Object{
		"":                 {"Functions": []string{}},
		"ListClusters":     {"clusterArns": []string{"prod"}},
		"ListTasks":        {"taskArns": []string{}},
		"ListServices":     {"serviceArns": []string{"s"}},
		"DescribeServices": {"services": []inusetest.Object{{"serviceArn": "s", "taskDefinition": "app:1"}}},
		"DescribeTaskDefinition": {"taskDefinition": inusetest.Object{
			"registeredAt": 1, "containerDefinitions": []inusetest.Object{{"image": inusetest.Registry + "app:at-" + account + "-" + region}},
		}},
	}[operation]
	if !known {
		http.Error(w, "<html>Internal Server Error</html>", http.StatusInternalServerError) // as an emulator
		return
	}
	inusetest.Answer(w, http.StatusOK, answer)
}

// cluster answers ListClusters and DescribeCluster.
func (c *cloud) cluster(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/clusters" {
		inusetest.Answer(w, http.StatusOK, inusetest.Object{"clusters": []string{"prod"}})
		return
	}
	inusetest.Answer(w, http.StatusOK, inusetest.Object{"cluster": inusetest.Object{
		"status": "ACTIVE", "endpoint": c.eks.URL,
		"certificateAuthority": inusetest.Object{"data": base64.StdEncoding.EncodeToString(c.eks.Authority())},
	}})
}

// sources returns the sources for the object protect of a configuration, without the home ones.
func (c *cloud) sources(t *testing.T, protect string) []inuse.Source {
	t.Helper()
	parsed, problems := config.Parse([]byte(`{"protect": ` + protect + `}`))
	awstest.Empty(t, "problems", problems)
	parsed = parsed.InRegion(awstest.Region)
	settings := parsed.InUse()
	settings.ECS, settings.TaskDefinitionRevisions = config.ECS{}, 0
	return place.Sources(query.Environment{AWS: c.server, Settings: settings, Clock: awstest.Clock}, assumed.NewCaller(c.server, c.session))
}

// scan queries the sources.
func (c *cloud) scan(t *testing.T, protect string) inuse.Scan {
	t.Helper()
	return inuse.Scope{}.Run(t.Context(), c.sources(t, protect), awstest.Now)
}

// once makes one attempt at each call.
func (c *cloud) once() { c.server = awstest.Attempts(c.server, 1) }

const (
	role      = "arn:aws:iam::222222222222:role/ecr-cleaner-member"
	threeByTw = `{"inUse": ["ecs", "lambda"], "accounts": [{"roleArn": "` + role + `", "externalId": "the-word",
		"regions": ["eu-west-1", "us-east-1", "eu-north-1"]}]}`
)

func failures(scan inuse.Scan) []string {
	lines := []string{}
	for _, f := range scan.Failed {
		lines = append(lines, f.Account+" "+f.String())
	}
	return lines
}

// One account with three Regions and two services takes one call of AssumeRole.
func TestARoleIsAssumedOnce(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	scan := c.scan(t, threeByTw)
	awstest.Equal(t, "failures", []string{}, failures(scan))
	awstest.Equal(t, "calls of AssumeRole", []url.Values{{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "ExternalId": {"the-word"},
		"RoleSessionName": {"run-1"}, "DurationSeconds": {"3600"},
	}}, c.Assumed())
	var used []string
	for _, use := range scan.Uses {
		used = append(used, use.Source+" "+use.Account+" "+use.Reference.Tag)
	}
	awstest.Equal(t, "uses", []string{
		"ecs@222222222222/eu-north-1 222222222222 at-222222222222-eu-north-1",
		"ecs@222222222222/eu-west-1 222222222222 at-222222222222-eu-west-1",
		"ecs@222222222222/us-east-1 222222222222 at-222222222222-us-east-1",
	}, used)
	awstest.Equal(t, "sources with counts", 6, len(scan.Counts))
}

// Another Region of the registry's account needs no role, and its failure has no account.
func TestOwnRegions(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.once()
	c.fault = func(_, region, service string) (int, string) {
		if region == "us-east-1" && service == "lambda" {
			return http.StatusForbidden, "AccessDeniedException"
		}
		return 0, ""
	}
	scan := c.scan(t, `{"inUse": ["ecs", "lambda"], "regions": ["us-east-1", "eu-west-1"]}`)
	if got := failures(scan); len(got) != 1 || !strings.HasPrefix(got[0], " lambda@us-east-1: list functions: ") ||
		!strings.HasSuffix(got[0], "; allow the action lambda:ListFunctions") {
		t.Errorf("failures %q", got)
	}
	awstest.Equal(t, "counts", map[string]int{"ecs@us-east-1": 1}, scan.Counts)
	awstest.Equal(t, "calls of AssumeRole", 0, len(c.Assumed()))
	awstest.Equal(t, "account and tag of the use", " at--us-east-1", scan.Uses[0].Account+" "+scan.Uses[0].Reference.Tag)
}

// The scan has a source for each name that settings have, and none twice.
func TestSourcesHaveTheNamesInTheSettings(t *testing.T) {
	t.Parallel()
	const all = `"inUse": ["ecs", "eks"], "regions": ["us-east-1"], "accounts": [{"roleArn": "` + role + `", "inUse": ["lambda", "sagemaker"]},
		{"roleArn": "arn:aws:iam::333333333333:role/a", "regions": ["us-east-1", "eu-west-1"]}]`
	c := newCloud(t)
	parsed, problems := config.Parse([]byte(`{"protect": {` + all + `}, "policies": [{}, {"protect": {"accounts": [
		{"roleArn": "` + role + `", "inUse": ["lambda", "batch"]}]}}]}`))
	awstest.Empty(t, "problems", problems)
	parsed = parsed.InRegion(awstest.Region)
	var got []string
	for _, source := range place.Sources(query.Environment{AWS: c.server, Settings: parsed.InUse(), Clock: awstest.Clock}, assumed.NewCaller(c.server, "")) {
		got = append(got, source.Name())
	}
	for i := range parsed.Policies {
		for _, name := range parsed.Policies[i].Protect.Sources() {
			if strings.Contains(name, "@") && !slices.Contains(got, name) {
				t.Errorf("nothing queries %s", name)
			}
		}
	}
	awstest.Equal(t, "names", []string{
		"ecs@us-east-1", "eks@us-east-1", "lambda@222222222222/eu-west-1", "sagemaker@222222222222/eu-west-1",
		"ecs@333333333333/us-east-1", "eks@333333333333/us-east-1", "ecs@333333333333/eu-west-1", "eks@333333333333/eu-west-1",
		"batch@222222222222/eu-west-1",
	}, got)
}

// Accounts are independent: one that denies its role leaves the others.
func TestARoleThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	const denied = "User: arn:aws:sts::123456789012:assumed-role/cleaner/s is not authorized to perform: sts:AssumeRole on resource: " + role
	for name, test := range map[string]struct {
		status        int
		code, message string
		want          []string
	}{
		"denied, or the external ID is wrong": {http.StatusForbidden, "AccessDenied", denied, []string{
			"denied to arn:aws:iam::123456789012:role/cleaner", "parameter MemberRoleArns", "deploy/member-role.yaml", "externalId in protect.accounts",
		}},
		"throttled":      {http.StatusBadRequest, "Throttling", "Rate exceeded", []string{"STS throttles", "run again later"}},
		"not in use":     {http.StatusForbidden, "RegionDisabledException", "STS is not activated", []string{"RegionDisabledException", "roleArn and externalId"}},
		"a malformed ID": {http.StatusBadRequest, "ValidationError", "Value 'the-word' at 'externalId' failed", []string{"Value 'EXTERNAL-ID' at 'externalId'"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.once()
			c.Refuse = func(form url.Values) (int, string, string) {
				if form.Get("RoleArn") == role {
					return test.status, test.code, test.message
				}
				return 0, "", ""
			}
			scan := c.scan(t, strings.Replace(threeByTw, `"accounts": [`, `"accounts": [{"roleArn": "arn:aws:iam::333333333333:role/a"}, `, 1))
			awstest.Equal(t, "sources that failed", 6, len(scan.Failed))
			for _, f := range scan.Failed {
				awstest.ErrorContains(t, f.Err, append(test.want, "assume role "+role+": ", "sts:AssumeRole")...)
				if strings.Contains(f.Err.Error(), "the-word") {
					t.Errorf("the external ID is in %v", f.Err)
				}
				awstest.Equal(t, "account of "+f.Source, "222222222222", f.Account)
			}
			awstest.Equal(t, "counts", map[string]int{"ecs@333333333333/eu-west-1": 1, "lambda@333333333333/eu-west-1": 0}, scan.Counts)
			awstest.Equal(t, "calls of AssumeRole", 2, len(c.Assumed()))
		})
	}
}

func TestAnSTSWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.once()
	c.Refuse = func(url.Values) (int, string, string) { panic(http.ErrAbortHandler) }
	scan := c.scan(t, `{"inUse": ["ecs"], "accounts": [{"roleArn": "`+role+`"}]}`)
	awstest.Equal(t, "sources that failed", 1, len(scan.Failed))
	awstest.ErrorContains(t, scan.Failed[0].Err, "assume role "+role+": ", "STS did not answer the action sts:AssumeRole", "create an endpoint for STS")
}

// Errors of the calls name the role, and where to turn the source off.
func TestErrorsNameTheRole(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.once()
	c.fault = func(_, region, service string) (int, string) {
		switch {
		case service == "ecs":
			return http.StatusForbidden, "AccessDeniedException"
		case region == "us-east-1":
			return http.StatusNotImplemented, "UnknownOperationException"
		}
		return 0, ""
	}
	scan := c.scan(t, `{"inUse": ["lambda"], "regions": ["us-east-1"],
		"accounts": [{"roleArn": "`+role+`", "inUse": ["ecs"]}, {"roleArn": "arn:aws:iam::333333333333:role/a", "regions": ["us-east-1"]}]}`)
	got := failures(scan)
	awstest.Equal(t, "sources that failed", 3, len(got))
	for i, want := range [][2]string{
		{" lambda@us-east-1: list functions: ", `; if it is not used here, take "us-east-1" out of protect.regions`},
		{"222222222222 ecs@222222222222/eu-west-1: role " + role + ": list clusters: ", "; allow the action ecs:ListClusters"},
		{
			"333333333333 lambda@333333333333/us-east-1: role arn:aws:iam::333333333333:role/a: list functions: ",
			`; if it is not used here, leave "lambda" out of inUse of account 333333333333 in protect.accounts`,
		},
	} {
		if !strings.HasPrefix(got[i], want[0]) || !strings.HasSuffix(got[i], want[1]) {
			t.Errorf("failure %q, want %q", got[i], want)
		}
	}
}

// A Region without an answer costs one source of each service its retries.
func TestARegionWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.once()
	c.fault = func(_, region, _ string) (int, string) {
		if region == "us-east-1" {
			panic(http.ErrAbortHandler)
		}
		return 0, ""
	}
	var accounts []string
	for i := range 60 {
		accounts = append(accounts, fmt.Sprintf(`{"roleArn": "arn:aws:iam::%012d:role/a", "regions": ["us-east-1", "eu-west-1"]}`, i+1))
	}
	scan := c.scan(t, `{"inUse": ["ecs"], "accounts": [`+strings.Join(accounts, ", ")+`]}`)
	awstest.Equal(t, "sources that failed", 60, len(scan.Failed))
	awstest.Equal(t, "sources with counts", 60, len(scan.Counts))
	unasked := 0
	for _, f := range scan.Failed {
		if strings.Contains(f.Err.Error(), "it was not queried, because ecs@us-east-1 did not answer another source; check the Region and the network") {
			unasked++
		}
	}
	if unasked < 12 { // up to 48 begin together
		t.Errorf("%d sources were not queried", unasked)
	}
}

// Credentials that expire soon are renewed, for the next call.
func TestCredentialsAreRenewed(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.Life = 1 // they expire at once
	scan := c.scan(t, `{"inUse": ["ecs"], "accounts": [{"roleArn": "`+role+`"}]}`)
	awstest.Equal(t, "failures", []string{}, failures(scan))
	if n := len(c.Assumed()); n < 3 {
		t.Errorf("the role was assumed %d times", n)
	}
}

// The call that needs the credentials does not take the refusal for its own.
func TestCredentialsThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.once()
	c.Life = 1
	c.Refuse = func(form url.Values) (int, string, string) {
		if form.Get("Action") == "AssumeRole" && len(c.Assumed()) > 2 {
			return http.StatusForbidden, "AccessDenied", "not any more"
		}
		return 0, "", ""
	}
	scan := c.scan(t, `{"inUse": ["ecs"], "accounts": [{"roleArn": "`+role+`"}]}`)
	awstest.Equal(t, "sources that failed", 1, len(scan.Failed))
	if text := scan.Failed[0].Err.Error(); !strings.HasPrefix(text, "assume role "+role) || strings.Contains(text, "ecs:") {
		t.Errorf("failed: %s", text)
	}
}

// A cluster gets a token of the role, for the Region of the cluster. A name that no cluster
// there has may be that of a cluster elsewhere.
func TestClustersInOtherPlaces(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.eks = inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	const protect = `{"inUse": ["eks"], "eksClusters": ["prod", "elsewhere"], "accounts": [{"roleArn": "` + role + `", "regions": ["us-east-1"]}]}`
	scan := c.scan(t, protect)
	awstest.Equal(t, "failures", []string{}, failures(scan))
	awstest.Contains(t, scan.Uses[0].By, "EKS cluster prod in 222222222222/us-east-1")
	token, _ := c.eks.Client()
	request, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "k8s-aws-v1."))
	awstest.NoError(t, err)
	awstest.Contains(t, string(request), "https://sts.us-east-1.amazonaws.com/?", "Credential=ROLE222222222222%2F", "%2Fus-east-1%2Fsts%2F")
}

// The advice of a cluster names the role in its own account, not the role of the cleaner.
func TestAnAccessEntryIsForTheRole(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.eks = inusetest.NewKubernetes(t, inusetest.Registry+"app:v1")
	c.eks.Status = http.StatusUnauthorized
	scan := c.scan(t, `{"inUse": ["eks"], "accounts": [{"roleArn": "`+role+`"}]}`)
	awstest.Equal(t, "sources that failed", 1, len(scan.Failed))
	awstest.ErrorContains(t, scan.Failed[0].Err, "--principal-arn "+role+" ")
}

func TestSessionNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"8f5c2b1a-4c1e.k3j2h1g0": "8f5c2b1a-4c1e.k3j2h1g0",
		"run/1 of today: ä":      "run-1-of-today---",
		strings.Repeat("ab", 40): strings.Repeat("ab", 32),
		"a_+=,.@-Z":              "a_+=,.@-Z",
		"":                       "ecr-cleaner",
		"x":                      "ecr-cleaner",
	} {
		c := newCloud(t)
		c.session = id
		c.scan(t, `{"inUse": ["lambda"], "accounts": [{"roleArn": "`+role+`"}]}`)
		awstest.Equal(t, "session of "+id, want, c.Assumed()[0].Get("RoleSessionName"))
	}
}

func TestAPanicWhileARoleIsAssumed(t *testing.T) {
	t.Parallel()
	c := &cloud{server: awstest.Offline(awstest.Client(func(*http.Request) (*http.Response, error) { panic("by the test") }))}
	scan := c.scan(t, `{"inUse": ["lambda"], "accounts": [{"roleArn": "`+role+`"}]}`)
	awstest.Equal(t, "failures", []string{
		"222222222222 lambda@222222222222/eu-west-1: assume role " + role + ": the program is faulty: by the test; please report it",
	}, failures(scan))
}

// silent returns a cloud that never answers. It is for a synctest bubble.
func silent() *cloud {
	c := &cloud{server: awstest.Offline(awstest.Client(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))}
	c.server.APIOptions = nil
	c.once()
	return c
}

// However many places do not answer, the scan ends before it is too old.
func TestSlowPlacesEndBeforeTheScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var regions []string
		for i := range 100 {
			regions = append(regions, fmt.Sprintf(`"eu-west-%d"`, i+2))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		start := time.Now()
		scan := inuse.Scope{}.Run(ctx, silent().sources(t, `{"inUse": ["lambda"], "regions": [`+strings.Join(regions, ", ")+`]}`), awstest.Now)
		awstest.Equal(t, "time", 9*time.Minute, time.Since(start))
		awstest.Equal(t, "sources that failed", 100, len(scan.Failed))
		awstest.ErrorContains(t, scan.Failed[0].Err, "it did not end in 5m0s")
		awstest.ErrorContains(t, scan.Failed[60].Err, "it did not end in 4m0s")
		awstest.ErrorContains(t, scan.Failed[99].Err, "the in-use scan has no time left for it; query fewer services there")
	})
}

// A place that does not answer takes no longer than its time, and ends before the scan.
func TestASlowPlaceHasLimitedTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		scan time.Duration // 0 is no limit
		want time.Duration
	}{
		"without a limit":  {0, 5 * time.Minute},
		"of a long scan":   {time.Hour, 5 * time.Minute},
		"of a usual scan":  {10 * time.Minute, 5 * time.Minute},
		"of a short scan":  {2 * time.Minute, 108 * time.Second},
		"of a middle scan": {5 * time.Minute, 270 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.scan > 0 {
					limited, cancel := context.WithTimeout(ctx, test.scan)
					defer cancel()
					ctx = limited
				}
				start := time.Now()
				scan := inuse.Scope{}.Run(ctx, silent().sources(t, `{"inUse": ["ecs"], "regions": ["us-east-1", "eu-north-1"]}`), awstest.Now)
				awstest.Equal(t, "time", test.want, time.Since(start))
				for _, f := range scan.Failed {
					awstest.ErrorContains(t, f.Err, "it did not end in "+test.want.String()+", which is its time; query fewer services there, or use a list")
				}
				awstest.Equal(t, "sources that failed", 2, len(scan.Failed))
			})
		})
	}
}
