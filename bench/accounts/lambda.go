package accounts

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const functionsPath = "/2015-03-31/functions"

func lambdaOperation(path string) string {
	switch {
	case path == functionsPath:
		return "ListFunctions"
	case strings.HasSuffix(path, "/aliases"):
		return "ListAliases"
	}
	return "GetFunction"
}

// lambda answers the calls of Lambda. Every function has an image, one version and no alias.
func (s *Server) lambda(c call, query url.Values) answer {
	if s.scale.deniesLambda(c.account) {
		return failed(c, http.StatusForbidden, "AccessDeniedException", "not authorized to perform: lambda:"+c.operation)
	}
	switch c.operation {
	case "ListFunctions":
		from, to, next := page(c.lambdas, query.Get("Marker"), 50)
		var items []string
		for i := from; i < to; i++ {
			items = append(items, configuration(c.place, i))
		}
		text := object("Functions", items, next)
		return answer{text: strings.Replace(text, `"nextToken"`, `"NextMarker"`, 1)}
	case "ListAliases":
		return answer{text: `{"Aliases": []}`}
	}
	n := number(c.path)
	im := s.scale.image(c.place, fmt.Sprint("function", n))
	return answer{text: fmt.Sprintf(`{"Configuration": %s, "Code": {"RepositoryType": "ECR", "ImageUri": %q, "ResolvedImageUri": %q}, "Tags": {}}`,
		configuration(c.place, n), im.name(), im.byDigest())}
}

func configuration(p place, n int) string {
	const environment = `"SETTING_OF_THE_APPLICATION_%d": "a value of usual length"`
	var variables []string
	for i := range 10 {
		variables = append(variables, fmt.Sprintf(environment, i))
	}
	return fmt.Sprintf(`{"FunctionName": "function-%d", "FunctionArn": %q, "Role": "arn:aws:iam::%s:role/function", "Version": "$LATEST", "PackageType": "Image",
  "CodeSize": 0, "Timeout": 30, "MemorySize": 512, "LastModified": "2026-01-01T00:00:00.000+0000", "State": "Active", "Architectures": ["arm64"],
  "CodeSha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "Environment": {"Variables": {%s}}}`,
		n, p.arn("lambda", fmt.Sprint("function:function-", n)), p.account, strings.Join(variables, ", "))
}
