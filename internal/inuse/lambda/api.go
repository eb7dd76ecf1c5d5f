package lambda

import "net/url"

// The types of this file have the members of Lambda's answers that the source reads.

// A functionPage is an answer of ListFunctions.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
type functionPage struct {
	Functions  []configuration
	NextMarker *string
}

// A functionAnswer is an answer of GetFunction.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
type functionAnswer struct {
	Code          *struct{ ImageUri, ResolvedImageUri, Location string }
	Configuration *configuration
}

// A configuration is that of one version of a function.
type configuration struct {
	FunctionName, Version, FunctionArn string
	PackageType, Runtime, State        string
	RuntimeConfig                      *struct{ RuntimeArn string }
	RuntimeVersionConfig               struct{ RuntimeVersionArn string }
}

// An aliasPage is an answer of ListAliases.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html
type aliasPage struct {
	Aliases    []alias
	NextMarker *string
}

type alias struct {
	AliasArn, FunctionVersion string
	RoutingConfig             struct{ AdditionalVersionWeights map[string]any }
}

const (
	functions = "/2015-03-31/functions" // the path of all
	zip       = "Zip"                   // the package type of functions without an image
)

// pathOf returns the path of a function.
func pathOf(function string) string { return functions + "/" + url.QueryEscape(function) }

// after returns the parameters of the page for a token, which is nil for the first page.
func after(token *string, parameters url.Values) url.Values {
	if token != nil {
		parameters.Set("Marker", *token)
	}
	return parameters
}
