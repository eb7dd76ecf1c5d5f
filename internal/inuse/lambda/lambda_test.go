package lambda_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// published returns a Lambda with one function of three versions.
func published() *fakeLambda {
	f := &fakeLambda{}
	f.add("api", "$LATEST", "Image", registry+"api:v3", registry+"api@"+sha("3"))
	f.add("api", "1", "Image", registry+"api:v1", registry+"api@"+sha("1"))
	f.add("api", "2", "Image", registry+"api@"+sha("2"), registry+"api@"+sha("2"))
	f.alias("prod", "1", "2")
	return f
}

func TestLambdaNamesEveryVersionByItsDigestAndByItsName(t *testing.T) {
	t.Parallel()
	f := published()
	f.add("zip", "$LATEST", "Zip", "", "")
	f.add("other", "$LATEST", "Image", "registry.example.com/x:1", "")
	wantUses(t, f.source(t),
		"api:v3 function:api:$LATEST", "api@"+sha("3")+" function:api:$LATEST",
		"api:v1 function:api:1", "api@"+sha("1")+" function:api:1",
		"api@"+sha("2")+" function:api:2", "registry.example.com/x:1 function:other:$LATEST")
	awstest.Equal(t, "GetFunction calls, none for what is no image", 4, f.Count("GetFunction"))
	awstest.Equal(t, "ListAliases calls", 2, f.Count("ListAliases"))
}

func TestLambdaAliasesLeadToVersionsThatAreCovered(t *testing.T) {
	t.Parallel()
	f := published()
	f.add("api", "4", "Image", registry+"api:v4", registry+"api@"+sha("4"))
	f.add("api", "5", "Image", registry+"api:v5", registry+"api@"+sha("5"))
	f.versions = f.versions[:3] // published after they were listed
	f.alias("canary", "2", "4")
	f.alias("next", "5")
	f.alias("removed", "6")
	f.page = 1
	got, err := uses(t, f.source(t))
	if want := "[api:v1 function:api:1 api:v3 function:api:$LATEST api:v4 function:api:canary api:v5 function:api:next]"; err != nil || fmt.Sprint(got[:4]) != want {
		t.Errorf("got uses %v and error %v, want first %s", got, err, want)
	}
}

func TestLambdaReadsEveryPage(t *testing.T) {
	t.Parallel()
	f := &fakeLambda{page: 50}
	for i := range 120 {
		f.add(fmt.Sprint("f", i), "$LATEST", "Image", fmt.Sprint(registry, "app:v", i), registry+"app@"+sha("a"))
	}
	got, err := uses(t, f.source(t))
	if err != nil || len(got) != 240 || f.Count("ListFunctions") != 3 || f.AtATime() > 8 {
		t.Errorf("got %d uses, error %v, %d calls, %d at a time", len(got), err, f.Count("ListFunctions"), f.AtATime())
	}
}

// The source gets a function with an unknown package type, or without one.
func TestLambdaLooksIntoUnknownPackageTypes(t *testing.T) {
	t.Parallel()
	f := &fakeLambda{}
	f.add("new", "$LATEST", "Oci", "", registry+"new@"+sha("a"))
	f.add("untold", "$LATEST", "", "", registry+"untold@"+sha("b"))
	f.add("code", "$LATEST", "", "", "")
	wantUses(t, f.source(t), "new@"+sha("a")+" function:new:$LATEST", "untold@"+sha("b")+" function:untold:$LATEST")
	f.add("tomorrow", "$LATEST", "Wasm", "", "")
	wantFailure(t, f.source(t), "get function tomorrow, version $LATEST: the answer names no image")
}

// What a version runs may have lost its tag. Only one that never ran, or not
// yet, needs the image that has it now.
func TestLambdaFailsWhereItDoesNotSayWhatATagResolvesTo(t *testing.T) {
	t.Parallel()
	for state, fails := range map[string]bool{"": true, "Active": true, "Inactive": true, "OfTomorrow": true, "Pending": false, "Failed": false} {
		f := &fakeLambda{}
		f.add("api", "1", "Image", registry+"api:v1", "")
		f.code["api:1"]["Configuration"] = object{"PackageType": "Image", "State": state}
		if fails {
			wantFailure(t, f.source(t), "get function api, version 1: ", "does not say what "+registry+"api:v1 resolves to")
		} else {
			wantUses(t, f.source(t), "api:v1 function:api:1")
		}
	}
}

func TestLambdaFailsWhenAnActionIsDenied(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ListFunctions", "GetFunction", "ListAliases"} {
		f := published()
		f.faults = map[string]fault{operation: {http.StatusForbidden, "AccessDeniedException", "User: x is not authorized"}}
		wantFailure(t, f.source(t), "not authorized", "; allow the action lambda:"+operation)
		f = published()
		f.faults = map[string]fault{operation: {http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded"}}
		wantFailure(t, f.source(t), "Rate exceeded")
	}
}

func TestLambdaFailsWhereItIsUnreachable(t *testing.T) {
	t.Parallel()
	wantFailure(t, newSource(configFor("http://127.0.0.1:1")), "list functions", `take "lambda" out of protect.inUse`)
}

func TestLambdaDoesNotMissFunctionsThatAreDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	f := published()
	f.after = func(operation string) {
		if operation == "ListFunctions" {
			f.code = nil
		}
	}
	f.faults = map[string]fault{"ListAliases": {http.StatusNotFound, "ResourceNotFoundException", "Function not found"}}
	wantUses(t, f.source(t))
}

func TestLambdaFailsOnAnswersThatAreNotWhole(t *testing.T) {
	t.Parallel()
	for want, code := range map[string]object{
		"GetFunction, read the answer: deserialization failed, the answer is":   {},
		"get function api, version 1: the answer has no code":                   {"Configuration": object{}},
		"version 1: the answer has no code":                                     {"Code": object{"ImageUri": registry + "api:v1"}},
		"version 1: the answer names no image":                                  {"Code": object{}, "Configuration": object{"PackageType": "Image"}},
		"api, version 1: the answer names no image":                             {"Code": object{}, "Configuration": object{}},
		functionARN("api", "1") + ": image reference":                           {"Code": object{"ImageUri": registry + "Api"}, "Configuration": object{}},
		functionARN("api", "1") + ": image reference \"" + registry + "api@sha": {"Code": object{"ResolvedImageUri": registry + "api@sha256:1"}, "Configuration": object{}},
	} {
		f := published()
		f.code["api:1"] = code
		wantFailure(t, f.source(t), want)
	}
	f := published()
	f.versions[1]["FunctionName"] = nil
	wantFailure(t, f.source(t), "list functions: the answer has a function without a name")
	f = published()
	f.page = 1
	wantFailure(t, newSource(config(t, repeating{f})), "list functions: the listing is cut short")
}

// repeating answers every question for a page with the first one.
type repeating struct{ *fakeLambda }

func (r repeating) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	query.Del("Marker")
	req.URL.RawQuery = query.Encode()
	r.fakeLambda.ServeHTTP(w, req)
}

// Lambda runs only images from ECR, so any other reference is not an answer of Lambda.
func TestLambdaFailsOnWhatIsNoReference(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"two words", ""}, {"", "two words"}, {registry + "app:v1", "<html>"}} {
		f := &fakeLambda{}
		f.add("api", "1", "Image", names[0], names[1])
		wantFailure(t, f.source(t), "not an image reference")
	}
}

// An answer without any field that could name an image is incomplete.
func TestLambdaFailsOnAnswersThatNameNothing(t *testing.T) {
	t.Parallel()
	f := &fakeLambda{}
	f.add("api", "1", "", "", "")
	wantUses(t, f.source(t)) // it has code
	f.code["api:1"] = object{"Code": object{}, "Configuration": object{}}
	wantFailure(t, f.source(t), "the answer names no image")
}
