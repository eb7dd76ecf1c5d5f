package fakeecr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits and patterns of the API model.
const (
	maxBatch            = 100
	minRepositoryName   = 2
	maxRepositoryName   = 256
	maxTag              = 300
	minPolicyText       = 100
	maxPolicyText       = 30720
	maxArtifactTypes    = 5
	repositoryNameRegex = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`
	registryIDRegex     = `[0-9]{12}`
	digestRegex         = `[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+`
)

var (
	repositoryNamePattern = whole(repositoryNameRegex)
	registryIDPattern     = whole(registryIDRegex)
	digestPattern         = whole(`[a-zA-Z0-9\-_+.]+:[a-fA-F0-9]+`)
)

func whole(expression string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + expression + `)$`)
}

func checkPresent(parameter string, present bool) error {
	if !present {
		return invalid(parameter, "Member must not be null")
	}
	return nil
}

func checkLength(parameter string, length, low, high int) error {
	return checkRange(parameter, "length", length, low, high)
}

func checkRange(parameter, what string, n, low, high int) error {
	if n < low {
		return invalid(parameter, fmt.Sprintf("Member must have %s greater than or equal to %d", what, low))
	}
	if n > high {
		return invalid(parameter, fmt.Sprintf("Member must have %s less than or equal to %d", what, high))
	}
	return nil
}

func checkPattern(parameter, value string, pattern *regexp.Regexp, expression string) error {
	if !pattern.MatchString(value) {
		return invalid(parameter, "Member must satisfy regular expression pattern: "+expression)
	}
	return nil
}

// checkEnum accepts the empty string, because it is an absent member.
func checkEnum(parameter, value string, values ...string) error {
	if value != "" && !slices.Contains(values, value) {
		return invalid(parameter, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
	}
	return nil
}

func checkRepositoryName(parameter, name string) error {
	if err := checkLength(parameter, len(name), minRepositoryName, maxRepositoryName); err != nil {
		return err
	}
	return checkPattern(parameter, name, repositoryNamePattern, repositoryNameRegex)
}

func checkRegistryID(id string) error {
	if id == "" {
		return nil
	}
	return checkPattern("registryId", id, registryIDPattern, registryIDRegex)
}

func checkImageIDs(ids []imageID) error {
	for _, id := range ids {
		if utf8.RuneCountInString(id.ImageTag) > maxTag {
			return invalid("imageIds", fmt.Sprintf(
				"Member must satisfy constraint: [Member must have length less than or equal to %d]", maxTag))
		}
	}
	return checkLength("imageIds", len(ids), 1, maxBatch)
}
