package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

func TestImagesInUseAreKept(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 9*day, "v2"), index("sha256:i", 9*day), image("sha256:c", 9*day), image("sha256:d", 9*day)).
		Add("other", image("sha256:a", 9*day))
	w.Children["sha256:i"] = []string{"sha256:c"}
	r := newRunner(t, w, scanned)
	elsewhere := use("sha256:d", "far away")
	elsewhere.Reference.Region = "us-east-1"
	another := use("sha256:d", "another account")
	another.Reference.RegistryID = "999999999999"
	scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 4, "lambda": 1}, Uses: []inuse.Use{
		use("v1", "task"), use("v1", "service"), use("v1", "task"), use("sha256:c", "function"),
		use("moved", "task"), elsewhere, another,
	}})
	report := run(t, &r)
	want := map[string]string{
		"sha256:a": "[inUse task inUse service]", "sha256:b": "[]", "sha256:d": "[]",
		"sha256:c": "[inUse function]", "sha256:i": "[inUse function]", // a child in use is its index in use
	}
	awstest.Equal(t, "protections", want, protectedBy(&report))
	awstest.Equal(t, "left", []string{"sha256:a", "sha256:c", "sha256:i"}, w.Digests("app"))
	awstest.Equal(t, "uses", map[string]int{"ecs": 4, "lambda": 1}, report.InUse)
	findings := []finding.Finding{
		{Kind: finding.UnlistedReference, Repository: "app", Message: "task refers to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:moved, which is not in the repository"},
		{Kind: finding.NothingReferences, Repository: "other", Message: "no reference to its images found in ecs, lambda"},
	}
	awstest.Equal(t, "findings", findings, report.Findings)
	awstest.Equal(t, "handled", true, report.Handled())
}

// A running digest is in use, even if its tag is on another image now.
func TestADigestInUseDecidesWhateverItsTag(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:old", 9*day), image("sha256:new", 8*day, "v1"))
	r := newRunner(t, w, scanned)
	both := use("sha256:old", "task")
	both.Reference.Tag = "v1"
	scans(&r, inuse.Scan{Uses: []inuse.Use{both}})
	report := run(t, &r)
	want := map[string]string{"sha256:old": "[inUse task]", "sha256:new": "[]"}
	awstest.Equal(t, "protections", want, protectedBy(&report))
}

func TestAFewOfManyUsersAreNamed(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(image("sha256:a", 9*day)), scanned)
	var uses []inuse.Use
	for i := range 9 {
		uses = append(uses, use("sha256:a", fmt.Sprintf("task/%d", i)))
	}
	scans(&r, inuse.Scan{Uses: uses})
	report := run(t, &r)
	want := "[inUse task/0 inUse task/1 inUse task/2 inUse task/3 inUse task/4 inUse and 4 more]"
	awstest.Equal(t, "protected", want, protectedBy(&report)["sha256:a"])
}

// The cleaner keeps all images that a failed source could have protected.
func TestAFailedScanSkipsRepositoriesThatRelyOnIt(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day)).Add("lambda-only", image("sha256:a", 9*day)).Add("free", image("sha256:a", 9*day)).Add("quiet", image("sha256:a", time.Hour))
	r := newRunner(t, w, `{"policies": [
		{"repositories": ["lambda-only"], "policy": `+expireOld+`, "protect": {"inUse": ["lambda"]}},
		{"repositories": ["free"], "policy": `+expireOld+`, "protect": {"inUse": []}},
		{"policy": `+expireOld+`}], "protect": {"inUse": ["ecs"], "keepNewest": 0}}`)
	scans(&r, inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("denied; allow ecs:ListClusters")}}})
	report := run(t, &r)
	awstest.Equal(t, "skipped", map[string]plan.SkipCode{"app": plan.SkipScanFailed}, skips(&report))
	awstest.Equal(t, "message", "in-use scan: ecs: denied; allow ecs:ListClusters", report.Repositories[0].Message)
	if report.Totals.Deleted != 2 || !report.Incomplete || report.Handled() {
		t.Errorf("totals %+v, incomplete %t", report.Totals, report.Incomplete)
	}
}

// A runner without a scan must not conclude that no image is in use.
func TestWithoutAScanRepositoriesThatRelyOnOneAreSkipped(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day))
	r := newRunner(t, w, scanned)
	report := run(t, &r)
	got := report.Repositories[0]
	if got.Skipped != plan.SkipScanFailed || got.Message != "in-use scan: no source was queried" || len(w.Images["app"]) != 1 {
		t.Errorf("skipped %q: %s", got.Skipped, got.Message)
	}
}

// A source that found uses before and finds none now has more likely failed.
func TestAScanThatSuddenlyFindsNothingIsNotTrusted(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day))
	p := newRunner(t, w, scanned)
	p.Remover = nil
	scans(&p, inuse.Scan{Counts: map[string]int{"ecs": 3, "lambda": 0}})
	saved := run(t, &p)
	r := newRunner(t, w, scanned)
	r.Saved = &saved
	scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 0, "lambda": 0}})
	report := run(t, &r)
	got := report.Repositories[0]
	if got.Skipped != plan.SkipScanFailed || got.Message != "in-use scan: ecs: had 3 uses before and has none now; if that is right, plan again" {
		t.Errorf("skipped %q: %s", got.Skipped, got.Message)
	}
}

func TestOneScanServesTheWholeRunUntilItIsTooOld(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day)).Add("b", image("sha256:a", 9*day)).Add("c", image("sha256:a", 9*day))
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{At: now}, inuse.Scan{At: now.Add(usage.MaxScanAge + time.Second)})
	clock := now
	r.Clock, r.Workers = func() time.Time { return clock }, 1
	r.Registry = w.Reader().BeforeImages(func(repository string) {
		if repository == "c" {
			clock = now.Add(usage.MaxScanAge + time.Second)
		}
	})
	if report := run(t, &r); report.Totals.Deleted != 3 || *made != 2 {
		t.Errorf("%d scans, totals %+v; want one for the first two repositories and one for the third", *made, report.Totals)
	}
}

// A task may have started since the plan.
func TestAPlanIsMadeAgainWhenItsScanIsTooOld(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day), image("sha256:b", 9*day))
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{At: now}, inuse.Scan{At: now, Uses: []inuse.Use{use("sha256:a", "new task")}})
	fixture.Outdate(&r, func() {})
	reader := w.Reader()
	images := reader.ImagesFunc
	reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		list, err := images(ctx, repository)
		if *made > 0 {
			list = append(list, image("sha256:new", 9*day)) // not in the first plan
		}
		return list, err
	}
	r.Registry = reader
	report := run(t, &r)
	got := map[string]string{}
	for _, im := range report.Repositories[0].Images {
		got[im.ImageDigest] = string(im.Outcome) + fmt.Sprint(im.ProtectedBy)
	}
	want := map[string]string{"sha256:a": "[inUse new task]", "sha256:b": "deleted[]"}
	awstest.Equal(t, "images", want, got)
	awstest.Equal(t, "scans", 2, *made)
}

// ECR applies an attached policy to images in use as well.
func TestAnAttachedPolicyThatMarksAnImageInUseIsAFinding(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day))
	w.Policies["app"] = expireOld
	r := newRunner(t, w, `{"protect": {"inUse": ["ecs"], "keepNewest": 0}}`)
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:a", "task")}})
	report := run(t, &r)
	want := []finding.Finding{{Kind: finding.AttachedMarksInUse, Repository: "app", Message: "ECR itself will expire sha256:a, which is in use by task"}}
	awstest.Equal(t, "findings", want, report.Findings)
}

func TestNamedImagesArePlannedAgainWhenTheScanIsTooOld(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour), image("sha256:b", time.Hour), image("sha256:c", 9*day))
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{At: now}, inuse.Scan{At: now, Uses: []inuse.Use{use("sha256:a", "new task")}})
	fixture.Outdate(&r, func() {})
	report := fixture.RunNamed(t, &r, "sha256:a", "sha256:b")
	awstest.Equal(t, "left", []string{"sha256:a", "sha256:c"}, w.Digests("app"))
	awstest.Equal(t, "scans and protected images", []int{2, 1}, []int{*made, report.Totals.Protected})
}

func TestANamedImageMayBeGoneWhenItIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{At: now})
	fixture.Outdate(&r, func() { w.Images["app"] = nil })
	report := fixture.RunNamed(t, &r, "sha256:a")
	if got := report.Repositories[0]; got.Skipped != "" || got.Gone != 1 || !report.Handled() {
		t.Errorf("skipped %q: %s, counts %+v", got.Skipped, got.Message, got.Counts)
	}
}

// The second plan does not fail because the first has removed some of the images.
func TestTheRestOfTheNamedImagesIsPlannedAgain(t *testing.T) {
	t.Parallel()
	images := fixture.Numbered(150, 9*day)
	w := newFakeRegistry(images...)
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{})
	fixture.Aging(&r, w.Remover(), 1)
	names := make([]string, len(images))
	for i := range images {
		names[i] = images[i].Digest
	}
	report := fixture.RunNamed(t, &r, names...)
	if got := report.Totals; got.Deleted != 150 || !report.Handled() || len(w.Digests("app")) > 0 {
		t.Errorf("totals %+v, %d images are left", got, len(w.Digests("app")))
	}
}

// ECR may record pulls to the second. A pull in the second in which the scan began may be
// later than the scan.
func TestAPullInTheSecondOfTheScanIsInUse(t *testing.T) {
	t.Parallel()
	for pull, want := range map[time.Duration]string{0: "[inUse a pull since the in-use scan began]", -time.Millisecond: "[]"} {
		im := image("sha256:a", 9*day)
		im.LastRecordedPullTime = evaluator.At(now.Add(pull))
		w := newFakeRegistry(im)
		r := newRunner(t, w, scanned)
		r.Remover = nil
		scans(&r, inuse.Scan{At: now.Add(900 * time.Millisecond)})
		report := run(t, &r)
		awstest.Equal(t, fmt.Sprintf("pulled %v after the second began: protected", pull), want, protectedBy(&report)["sha256:a"])
	}
}

// A policyReader is a registry with resource policies.
type policyReader struct {
	reader
	text string // of each repository
	err  error
}

func (r policyReader) RepositoryPolicyText(context.Context, string) (string, error) {
	return r.text, r.err
}

func (r policyReader) RegistryPolicyText(context.Context) (string, error) { return "", nil }

func TestWhoElseMayPullIsAFinding(t *testing.T) {
	t.Parallel()
	allow := func(action, principal string) string {
		return `{"Statement": [{"Effect": "Allow", "Action": ` + action + `, "Principal": ` + principal + `}]}`
	}
	const others = "its policy lets %s pull, and the images that they use are not known; " +
		"add their accounts to protect.accounts, or a list of these images to protect.references"
	configured := func(protect string) string {
		return strings.Replace(scanned, `"inUse": ["ecs", "lambda"]`, protect, 1)
	}
	accounts := configured(`"inUse": [], "accounts": [{"roleArn": "arn:aws:iam::999999999999:role/member", "inUse": ["ecs"]}]`)
	expected := configured(`"inUse": [], "references": ["s3://lists/all/"], "expect": ["999999999999/eu-west-1"]`)
	for name, test := range map[string]struct {
		text, config, want string
		err                error
	}{
		"no policy":         {"", scanned, "", nil},
		"unreadable":        {"{", scanned, fmt.Sprintf(others, "unknown principals (the policy cannot be read)"), nil},
		"an account":        {allow(`["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]`, `{"AWS": "arn:aws:iam::999999999999:root"}`), scanned, fmt.Sprintf(others, "arn:aws:iam::999999999999:root"), nil},
		"anybody":           {allow(`"ecr:*"`, `"*"`), scanned, fmt.Sprintf(others, "*"), nil},
		"a queried account": {allow(`"ecr:*"`, `{"AWS": "arn:aws:iam::999999999999:role/ci"}`), accounts, "", nil},
		"not the queried":   {allow(`"ecr:*"`, `{"AWS": ["111111111111", "999999999999"]}`), accounts, fmt.Sprintf(others, "111111111111"), nil},
		"anybody, queried":  {allow(`"ecr:*"`, `"*"`), accounts, fmt.Sprintf(others, "*"), nil},
		"an expected list":  {allow(`"ecr:*"`, `{"AWS": "999999999999"}`), expected, "", nil},
		"not the expected":  {allow(`"ecr:*"`, `{"AWS": "111111111111"}`), expected, fmt.Sprintf(others, "111111111111"), nil},
		"several":           {allow(`"*"`, `{"AWS": ["222222222222", "123456789012", "111111111111", "111111111111"]}`), scanned, fmt.Sprintf(others, "111111111111, 222222222222"), nil},
		"this account":      {allow(`"ecr:BatchGetImage"`, `{"AWS": "arn:aws:iam::123456789012:role/ci"}`), scanned, "", nil},
		"who may push":      {allow(`"ecr:PutImage"`, `{"AWS": "999999999999"}`), scanned, "", nil},
		"who is denied":     {strings.Replace(allow(`"ecr:*"`, `"*"`), "Allow", "Deny", 1), scanned, "", nil},
		"a service":         {allow(`"ecr:BatchGetImage"`, `{"Service": "lambda.amazonaws.com"}`), scanned, "", nil},
		"one statement":     {`{"Statement": {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": "*"}}`, scanned, fmt.Sprintf(others, "*"), nil},
		"with a list":       {allow(`"ecr:*"`, `"*"`), strings.Replace(scanned, `"inUse"`, `"references": ["r"], "inUse"`, 1), "", nil},
		"without a scan":    {allow(`"ecr:*"`, `"*"`), expireAll, "", nil},
		"not to be read":    {"", scanned, "it is not known which other accounts may pull from it: denied", errors.New("denied")},
		"action no string":  {allow(`[1]`, `"*"`), scanned, fmt.Sprintf(others, "unknown principals (the policy cannot be read)"), nil},
		"a name like ours":  {allow(`"ecr:*"`, `{"AWS": "arn:aws:iam::999999999999:role/of-123456789012"}`), scanned, fmt.Sprintf(others, "arn:aws:iam::999999999999:role/of-123456789012"), nil},
		"a wildcard":        {allow(`"ecr:BatchGetIm*"`, `"*"`), scanned, fmt.Sprintf(others, "*"), nil},
		"one character":     {allow(`"ecr:BatchGetImag?"`, `"*"`), scanned, fmt.Sprintf(others, "*"), nil},
		"all but an action": {
			`{"Statement": {"Effect": "Allow", "NotAction": "ecr:PutImage", "Principal": "*"}}`, scanned, fmt.Sprintf(others, "*"), nil,
		},
		"all but some": {
			`{"Statement": {"Effect": "Allow", "Action": "ecr:*", "NotPrincipal": {"AWS": "x"}}}`, scanned, fmt.Sprintf(others, "everyone outside NotPrincipal"), nil,
		},
		"a service for another account": {
			`{"Statement": {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": {"Service": "lambda.amazonaws.com"},
			  "Condition": {"StringLike": {"aws:sourceArn": ["arn:aws:lambda:eu-west-1:123456789012:function:*", "arn:aws:lambda:eu-west-1:999999999999:function:*"]}}}}`,
			scanned, fmt.Sprintf(others, "lambda.amazonaws.com for 999999999999"), nil,
		},
	} {
		w := newFakeRegistry(image("sha256:a", 9*day))
		r := newRunner(t, w, test.config)
		r.Registry = policyReader{w.Reader(), test.text, test.err}
		scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:a", "x")}[:0]})
		report := run(t, &r)
		got := slices.DeleteFunc(report.Findings, func(f finding.Finding) bool { return f.Kind != finding.SharedRepository })
		switch {
		case test.want == "" && len(got) > 0:
			t.Errorf("%s: findings %v, want none", name, got)
		case test.want != "" && (len(got) != 1 || got[0].Message != test.want || got[0].Repository != "app"):
			t.Errorf("%s: findings %v, want %q", name, got, test.want)
		}
	}
}
