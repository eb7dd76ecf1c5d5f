package lambda_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

const (
	own    = "arn:aws:lambda:" + region + ":123456789012:runtime/php8"
	shared = "arn:aws:lambda:" + region + ":999999999999:runtime/php8"
)

// withRuntime returns a Lambda with the function web, a zip that has this runtime.
func withRuntime(arn string) *fakeLambda {
	f := published()
	f.add("zip", "$LATEST", "Zip", "", "")
	f.add("web", "$LATEST", "Zip", "", "")
	f.versions[len(f.versions)-1]["Runtime"] = "custom"
	f.code["web:$LATEST"]["Configuration"] = object{"PackageType": "Zip", "Runtime": "custom", "RuntimeConfig": object{"RuntimeArn": arn, "RuntimeAlias": "prod"}}
	f.runtimes = map[string][]object{own: {}}
	return f
}

// runtimeVersion adds a version of the runtime with this image.
func (f *fakeLambda) runtimeVersion(arn, image, state string) {
	f.runtimes[arn] = append(f.runtimes[arn], object{"Arn": fmt.Sprint(arn, "/version/v", len(f.runtimes[arn])), "ResolvedUri": image, "State": state})
}

// scan returns the uses of runtimes, and the findings.
func scan(t *testing.T, f *fakeLambda) (images, findings []string) {
	t.Helper()
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{f.source(t)}, awstest.Now)
	if len(got.Failed) > 0 {
		t.Fatal(got.Failed)
	}
	for _, use := range got.Uses {
		switch {
		case use.Finding.Kind == finding.ManagedRuntime:
			findings = append(findings, use.Finding.Message)
		case use.AllImages:
			images = append(images, use.Reference.Repository+" all")
		case use.Reference.Repository == "php":
			images = append(images, use.Reference.Repository+"@"+use.Reference.Digest)
		}
	}
	return images, findings
}

// A runtime alias can be moved to another version without a change of any function.
func TestLambdaNamesEveryVersionOfTheRuntimesThatFunctionsUse(t *testing.T) {
	t.Parallel()
	f := withRuntime(own)
	f.page = 1
	f.runtimeVersion(own, registry+"php@"+sha("1"), "ACTIVE")
	f.runtimeVersion(own, registry+"php@"+sha("2"), "PENDING_DELETION")
	f.runtimeVersion(own, "", "FAILED")
	images, findings := scan(t, f)
	awstest.Equal(t, "images", []string{"php@" + sha("1"), "php@" + sha("2")}, images)
	awstest.Empty(t, "findings", findings)
	awstest.Equal(t, "ListRuntimeVersions calls", 3, f.Count("ListRuntimeVersions"))
}

func TestLambdaAsksAboutRuntimesOnlyWhenThereAreAny(t *testing.T) {
	t.Parallel()
	f := published()
	f.add("zip", "$LATEST", "Zip", "", "")
	f.code["api:1"]["Configuration"] = object{"PackageType": "Image", "RuntimeVersionConfig": object{"RuntimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:0123"}}
	scan(t, f)
	awstest.Equal(t, "ListRuntimeVersions calls", 0, f.Count("ListRuntimeVersions"))
}

// The listing of functions leaves out the pinned version of a runtime.
func TestLambdaFindsTheRuntimeOfAPinnedVersion(t *testing.T) {
	t.Parallel()
	f := withRuntime(own)
	f.versions[len(f.versions)-1]["RuntimeConfig"] = object{}
	f.code["web:$LATEST"]["Configuration"] = object{"PackageType": "Zip", "RuntimeVersionConfig": object{"RuntimeVersionArn": own + "/version/v0"}}
	f.runtimeVersion(own, registry+"php@"+sha("1"), "ACTIVE")
	images, _ := scan(t, f)
	awstest.Equal(t, "images", []string{"php@" + sha("1")}, images)
	for _, configuration := range []object{{"PackageType": "Zip", "Runtime": "custom"}, {"PackageType": "Zip", "Runtime": "python3.13"}} {
		f.code["web:$LATEST"]["Configuration"] = configuration
		wantFailure(t, f.source(t), "get function web, version $LATEST: the answer does not name the customer-managed runtime")
	}
}

func TestLambdaKeepsTheRepositoryOfARuntimeWithoutADigest(t *testing.T) {
	t.Parallel()
	f := withRuntime(own)
	f.runtimeVersion(own, registry+"php:v1", "ACTIVE")
	images, findings := scan(t, f)
	awstest.Equal(t, "images", []string{"php all"}, images)
	awstest.Equal(t, "findings", []string{"The image of the runtime version " + own + "/version/v0 has no digest, so all images of php are kept"}, findings)
}

// The images of another account's runtime are uses of that account.
func TestLambdaReportsRuntimesOfOtherAccounts(t *testing.T) {
	t.Parallel()
	f := withRuntime(shared)
	want := []string{functionARN("web", "$LATEST") + " uses the runtime " + shared + " of another account, whose versions the cleaner cannot list. " +
		"If its images are in this registry, name them in a list in protect.references"}
	_, findings := scan(t, f)
	awstest.Equal(t, "findings of one that is not shared", want, findings)
	f.faults = map[string]fault{"ListRuntimeVersions": {http.StatusForbidden, "AccessDeniedException", "not authorized"}}
	_, findings = scan(t, f)
	awstest.Equal(t, "findings of a denied one", want, findings)
	f.faults = nil
	f.runtimeVersion(shared, registry+"php@"+sha("1"), "ACTIVE")
	images, findings := scan(t, f)
	awstest.Equal(t, "images", []string{"php@" + sha("1")}, images)
	awstest.Empty(t, "findings", findings)
}

func TestLambdaFailsWhenItDoesNotKnowTheImagesOfARuntime(t *testing.T) {
	t.Parallel()
	for want, refusal := range map[string]fault{
		"not authorized; allow the action lambda:ListRuntimeVersions": {http.StatusForbidden, "AccessDeniedException", "not authorized"},
		"Rate exceeded": {http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded"},
		"Runtime not found; delete " + functionARN("web", "$LATEST") + ", or give it another runtime": {http.StatusNotFound, "ResourceNotFoundException", "Runtime not found"},
	} {
		f := withRuntime(own)
		f.faults = map[string]fault{"ListRuntimeVersions": refusal}
		wantFailure(t, f.source(t), "list versions of the runtime "+own, want)
	}
	none := withRuntime(own)
	none.runtimeVersion(own, "", "FAILED")
	wantFailure(t, none.source(t), "list versions of the runtime "+own, "no version has an image; delete "+functionARN("web", "$LATEST"))
	f := withRuntime(shared)
	f.faults = map[string]fault{"ListRuntimeVersions": {http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded"}}
	wantFailure(t, f.source(t), "Rate exceeded")
	for image, want := range map[string]string{"": `the image of ` + own + `/version/v0: "": not an image reference`, "two words": "not an image reference", registry + "PHP": "image reference"} {
		f := withRuntime(own)
		f.runtimeVersion(own, image, "ACTIVE")
		wantFailure(t, f.source(t), "list versions of the runtime "+own, want)
	}
}
