package reference_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// The grammars as AWS and the OCI write them.
var (
	repositoryGrammar = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagGrammar        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	regionGrammar     = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	suffixGrammar     = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

// The checks by hand accept the same names as the grammars.
func TestNamesAreCheckedByTheGrammars(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		var text strings.Builder
		for range random.IntN(9) {
			text.WriteByte("aaz09--__../A:"[random.IntN(14)])
		}
		name := text.String()
		if strings.Contains(name, ":") {
			continue // separates names
		}
		for kind, c := range map[string]struct {
			reference string
			want      bool
		}{
			"repository": {host + "/" + name, len(name) >= 2 && repositoryGrammar.MatchString(name)},
			"tag":        {host + "/app:" + name, tagGrammar.MatchString(name)},
			"region":     {account + ".dkr.ecr." + name + ".amazonaws.com/app", regionGrammar.MatchString(name)},
			"suffix":     {account + ".dkr.ecr.eu-west-1." + name + "/app", suffixGrammar.MatchString(strings.ToLower(name))},
		} {
			if strings.ContainsAny(name, "/.A") && (kind == "region" || kind == "suffix" && strings.Contains(name, "/")) {
				continue // separates these, or is one in lower case
			}
			if _, err := reference.Parse(c.reference); (err == nil) != c.want {
				t.Fatalf("%s %q: error %v, want a name: %t", kind, name, err, c.want)
			}
		}
	}
}
