package lambda_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/lambda"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// A fakeLambda plays Lambda. It answers with what it holds, in pages.
type fakeLambda struct {
	inusetest.Recorder
	versions []object            // as ListFunctions lists them
	code     map[string]object   // by function:version
	aliases  map[string][]object // by function
	page     int                 // items on a page; 0 is all
	runtimes map[string][]object // their versions, by the ARN of the runtime
	faults   map[string]fault    // by operation
	state    sync.Mutex
	// after is called after each answer and may change the rest.
	after func(operation string)
}

func (f *fakeLambda) source(t *testing.T) inuse.Source {
	t.Helper()
	return newSource(config(t, f))
}

func newSource(cfg aws.Config) inuse.Source {
	return lambda.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

func (f *fakeLambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	function := strings.Trim(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions"), "/")
	function, isAliases := strings.CutSuffix(function, "/aliases")
	operation := "GetFunction"
	runtime, isRuntime := strings.CutPrefix(r.URL.Path, "/2026-10-01/runtimes/")
	switch {
	case isRuntime:
		operation = "ListRuntimeVersions"
	case isAliases:
		operation = "ListAliases"
	case function == "":
		operation = "ListFunctions"
	}
	defer f.Begin(operation)()
	f.state.Lock()
	defer f.state.Unlock()
	if f.after != nil {
		defer f.after(operation)
	}
	w.Header().Set("Content-Type", "application/json")
	if fault, ok := f.faults[operation]; ok {
		refuse(w, fault)
		return
	}
	marker := r.URL.Query().Get("Marker")
	switch operation {
	case "ListFunctions":
		if r.URL.Query().Get("FunctionVersion") != "ALL" {
			panic("not all versions")
		}
		answer(w, http.StatusOK, f.list("Functions", f.versions, marker))
	case "ListAliases":
		answer(w, http.StatusOK, f.list("Aliases", f.aliases[function], marker))
	case "ListRuntimeVersions":
		versions, ok := f.runtimes[strings.TrimSuffix(runtime, "/versions")]
		if !ok {
			refuse(w, fault{http.StatusNotFound, "ResourceNotFoundException", "Runtime not found"})
			return
		}
		out := f.list("Items", versions, r.URL.Query().Get("nextToken"))
		out["NextToken"] = out["NextMarker"]
		answer(w, http.StatusOK, out)
	default:
		f.getFunction(w, function, r.URL.Query().Get("Qualifier"))
	}
}

func (f *fakeLambda) getFunction(w http.ResponseWriter, function, version string) {
	if version == "" {
		version = "$LATEST"
	}
	out, ok := f.code[function+":"+version]
	if !ok {
		refuse(w, fault{http.StatusNotFound, "ResourceNotFoundException", "Function not found"})
		return
	}
	answer(w, http.StatusOK, out)
}

func refuse(w http.ResponseWriter, f fault) {
	w.Header().Set("X-Amzn-Errortype", f.code)
	answer(w, f.status, object{"Message": f.message})
}

func (f *fakeLambda) list(name string, items []object, marker string) object {
	start, _ := strconv.Atoi(marker)
	end := len(items)
	if f.page > 0 {
		end = min(start+f.page, end)
	}
	out := object{name: append([]object{}, items[start:end]...)}
	if end < len(items) {
		out["NextMarker"] = strconv.Itoa(end)
	}
	return out
}

// add adds a version of a function, with the image it was given and the one that was resolved.
func (f *fakeLambda) add(function, version, packageType, image, resolved string) {
	f.versions = append(f.versions, object{
		"FunctionName": function, "Version": version, "PackageType": packageType, "FunctionArn": functionARN(function, version),
	})
	if f.code == nil {
		f.code = map[string]object{}
	}
	code := object{}
	if image != "" {
		code["ImageUri"] = image
	}
	if resolved != "" {
		code["ResolvedImageUri"] = resolved
	}
	if len(code) == 0 && (packageType == "" || packageType == "Zip") {
		code["Location"] = "https://example.com/code.zip"
	}
	f.code[function+":"+version] = object{"Code": code, "Configuration": object{"PackageType": packageType}}
}

// alias adds an alias of the function api for a version and, in part, for others.
func (f *fakeLambda) alias(name, version string, others ...string) {
	alias := object{"Name": name, "AliasArn": functionARN("api", name), "FunctionVersion": version}
	if len(others) > 0 {
		weights := object{}
		for _, other := range others {
			weights[other] = 0.1
		}
		alias["RoutingConfig"] = object{"AdditionalVersionWeights": weights}
	}
	if f.aliases == nil {
		f.aliases = map[string][]object{}
	}
	f.aliases["api"] = append(f.aliases["api"], alias)
}

func functionARN(function, version string) string {
	return "arn:aws:lambda:" + region + ":123456789012:function:" + function + ":" + version
}

type object = inusetest.Object

// A fault is an answer that is an error.
type fault struct {
	status        int
	code, message string
}

const (
	region   = inusetest.Region
	registry = inusetest.Registry
)

var (
	sha         = inusetest.Digest
	config      = inusetest.Config
	configFor   = inusetest.ConfigFor
	answer      = inusetest.Answer
	uses        = inusetest.Uses
	wantUses    = inusetest.WantUses
	wantFailure = inusetest.WantFailure
)
