package config_test

import "testing"

// If two parts of a configuration set an age for one list, the smaller age counts.
func TestAListIsAsOldAsTheStrictestAllows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{}`:                                 0,
		`{"protect": {"references": ["a"]}}`: 0,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}}`:                                                                               5,
		`{"protect": {"references": ["b"], "referencesMaxAgeHours": 5}}`:                                                                               0,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}, "policies": [{"protect": {"referencesMaxAgeHours": 3}}]}`:                      3,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}, "policies": [{"protect": {"referencesMaxAgeHours": 9}}]}`:                      5,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}, "policies": [{"protect": {"referencesMaxAgeHours": 3, "references": ["b"]}}]}`: 5,
		`{"policies": [{"protect": {"references": ["a"]}}, {"protect": {"references": ["a"], "referencesMaxAgeHours": 7}}]}`:                           7,
	} {
		c := mustParse(t, text)
		if got := c.ReferencesMaxAge("a"); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
