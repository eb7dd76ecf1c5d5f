package config_test

import "testing"

func TestExpectedPlacesOfAPrefix(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"protect": {"references": ["s3://b/p/"], "expect": ["222222222222/eu-west-1", "333333333333/eu-west-1"]}, "policies": [
		{"repositories": ["a"], "protect": {"expect": ["222222222222/eu-west-1", "222222222222/us-east-1"]}},
		{"repositories": ["b"], "protect": {"references": ["s3://b/q/"], "expect": ["444444444444/eu-west-1"]}},
		{"repositories": ["c"], "protect": {"references": [], "expect": []}}]}`)
	for prefix, want := range map[string][2][]string{
		"s3://b/p/": {{"222222222222/eu-west-1", "222222222222/us-east-1", "333333333333/eu-west-1"}, {"222222222222/eu-west-1"}},
		"s3://b/q/": {{"444444444444/eu-west-1"}, {"444444444444/eu-west-1"}},
		"s3://b/r/": {},
	} {
		some, all := c.Expected(prefix)
		equal(t, prefix, want, [2][]string{some, all})
	}
}
