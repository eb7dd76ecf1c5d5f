package evaluator_test

import (
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// explainPolicy has a rule for each way not to match, and several that do.
const explainPolicy = `{"rules": [
  {"rulePriority": 9, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}},
  {"rulePriority": 1, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}},
  {"rulePriority": 2, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}, "action": {"type": "expire"}},
  {"rulePriority": 3, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*", "*-rc"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}},
  {"rulePriority": 4, "selection": {"tagStatus": "tagged", "tagPrefixList": ["v1", "w"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 2}, "action": {"type": "expire"}},
  {"rulePriority": 5, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 5}, "action": {"type": "transition", "targetStorageClass": "archive"}},
  {"rulePriority": 6, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*", "v1*"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}
]}`

func TestExplain(t *testing.T) {
	t.Parallel()
	p, problems := lifecycle.Parse([]byte(explainPolicy), lifecycle.AWS)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	tagged := func(im evaluator.Image, tags ...string) evaluator.Image {
		im.Tags = tags
		return im
	}
	restoring := pushed("sha256:restoring", day)
	restoring.Status = evaluator.Activating
	images := []evaluator.Image{
		tagged(pushed("sha256:old", 9*day), "v1.0"),
		tagged(pushed("sha256:young", 4*day), "v1.1"),
		pushed("sha256:untagged", 3*day),
		restoring,
	}
	tests := map[string][]string{
		"sha256:old": {
			"rule 1: does not match: image is in storage class standard, rule is for archive",
			"rule 2: does not match: image is tagged, rule is for untagged images",
			"rule 3: does not match: no tag matches *-rc",
			"rule 4: does not match: no tag has the prefix w",
			"rule 5: matches, marks: never pulled, pushed 9d ago, limit 5d; is applied",
			"rule 6: matches, does not mark: pushed 9d ago, limit 90d; already decided by rule 5",
			"rule 9: matches, marks: 3rd newest of 3 images, rule keeps 1; already decided by rule 5",
		},
		"sha256:young": {
			"rule 1: does not match: image is in storage class standard, rule is for archive",
			"rule 2: does not match: image is tagged, rule is for untagged images",
			"rule 3: does not match: no tag matches *-rc",
			"rule 4: does not match: no tag has the prefix w",
			"rule 5: matches, does not mark: never pulled, pushed 4d ago, limit 5d; decides that the image is kept",
			"rule 6: matches, does not mark: pushed 4d ago, limit 90d; already decided by rule 5",
			"rule 9: matches, marks: 2nd newest of 3 images, rule keeps 1; already decided by rule 5",
		},
		"sha256:untagged": {
			"rule 1: does not match: image is in storage class standard, rule is for archive",
			"rule 2: matches, does not mark: pushed 3d ago, limit 7d; decides that the image is kept",
			"rule 3: does not match: image is untagged, rule is for tagged images",
			"rule 4: does not match: image is untagged, rule is for tagged images",
			"rule 5: does not match: image is untagged, rule is for tagged images",
			"rule 6: does not match: image is untagged, rule is for tagged images",
			"rule 9: matches, does not mark: newest of 3 images, rule keeps 1; already decided by rule 2",
		},
		"sha256:restoring": {
			"rule 1: does not match: image is ACTIVATING",
			"rule 2: does not match: image is ACTIVATING",
			"rule 3: does not match: image is ACTIVATING",
			"rule 4: does not match: image is ACTIVATING",
			"rule 5: does not match: image is ACTIVATING",
			"rule 6: does not match: image is ACTIVATING",
			"rule 9: does not match: image is ACTIVATING",
		},
	}
	wantSteps(t, p, images, tests)
}

// wantSteps checks the steps that explain the verdict on each image.
func wantSteps(t *testing.T, p lifecycle.Policy, images []evaluator.Image, wanted map[string][]string) {
	t.Helper()
	for digest, want := range wanted {
		t.Run(digest, func(t *testing.T) {
			t.Parallel()
			steps, ok := evaluator.Explain(p, images, noon, digest)
			if !ok {
				t.Fatal("not found")
			}
			var got []string
			for _, s := range steps {
				got = append(got, s.String())
			}
			equal(t, "Explain", want, got)
		})
	}
}

// extendedPolicy has a rule for each extension, and each way not to match that comes with them.
const extendedPolicy = `{"rules": [
  {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["hot*", "prod*"], "tagMatch": "any"}, "action": {"type": "retain"}},
  {"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPrefixList": ["a", "b"], "tagMatch": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}},
  {"rulePriority": 3, "selection": {"tagStatus": "tagged", "tagRegexList": ["v\\d+"], "tagExcludePatternList": ["*-rc", "keep"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7, "keepNewest": 1}, "action": {"type": "untag"}},
  {"rulePriority": 4, "selection": {"tagStatus": "any", "tagExcludePatternList": ["keep"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 5}, "action": {"type": "expire"}},
  {"rulePriority": 5, "selection": {"tagStatus": "tagged", "keepNewest": 2, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 5}, "action": {"type": "expire"}}
]}`

func TestExplainTheExtendedDialect(t *testing.T) {
	t.Parallel()
	p, problems := lifecycle.Parse([]byte(extendedPolicy), lifecycle.Extended)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	image := func(digest string, days int, tags ...string) evaluator.Image {
		im := pushed(digest, time.Duration(days)*day)
		im.Tags = tags
		return im
	}
	images := []evaluator.Image{
		image("sha256:retained", 9, "prod-1", "v1"), image("sha256:excluded", 9, "v2", "keep"),
		image("sha256:last", 10, "v3"), image("sha256:untagged", 11, "v4", "x"), image("sha256:none", 8),
	}
	tests := map[string][]string{
		"sha256:retained": {
			"rule 1: matches, retains: rule keeps all matching hot* or prod*; decides that the image is kept",
			"rule 2: does not match: no tag has the prefix a or b",
			"rule 3: matches, does not mark: pushed 9d ago, limit 7d; newest of 3 matching v\\d+ without *-rc or keep, rule keeps 1; already decided by rule 1",
			"rule 4: matches, marks: never pulled, pushed 9d ago, limit 5d; already decided by rule 1",
			"rule 5: matches, does not mark: pushed 9d ago, limit 5d; newest of 4 tagged, rule keeps 2; already decided by rule 1",
		},
		"sha256:excluded": {
			"rule 1: does not match: no tag matches hot* or prod*",
			"rule 2: does not match: no tag has the prefix a or b",
			"rule 3: does not match: tag keep matches keep, which the rule excludes",
			"rule 4: does not match: tag keep matches keep, which the rule excludes",
			"rule 5: matches, does not mark: pushed 9d ago, limit 5d; 2nd newest of 4 tagged, rule keeps 2; decides that the image is kept",
		},
		"sha256:last": {
			"rule 1: does not match: no tag matches hot* or prod*",
			"rule 2: does not match: no tag has the prefix a or b",
			"rule 3: matches, marks, but keeps as last-tag: every tag matches v\\d+, and ECR deletes an image with its last tag; " +
				"pushed 10d ago, limit 7d; 2nd newest of 3 matching v\\d+ without *-rc or keep, rule keeps 1; decides that the image is kept",
			"rule 4: matches, marks: never pulled, pushed 10d ago, limit 5d; already decided by rule 3",
			"rule 5: matches, marks: pushed 10d ago, limit 5d; 3rd newest of 4 tagged, rule keeps 2; already decided by rule 3",
		},
		"sha256:untagged": {
			"rule 1: does not match: no tag matches hot* or prod*",
			"rule 2: does not match: no tag has the prefix a or b",
			"rule 3: matches, marks: pushed 11d ago, limit 7d; 3rd newest of 3 matching v\\d+ without *-rc or keep, rule keeps 1; is applied",
			"rule 4: matches, marks: never pulled, pushed 11d ago, limit 5d; already decided by rule 3",
			"rule 5: matches, marks: pushed 11d ago, limit 5d; 4th newest of 4 tagged, rule keeps 2; already decided by rule 3",
		},
		"sha256:none": {
			"rule 1: does not match: image is untagged, rule is for tagged images",
			"rule 2: does not match: image is untagged, rule is for tagged images",
			"rule 3: does not match: image is untagged, rule is for tagged images",
			"rule 4: matches, marks: never pulled, pushed 8d ago, limit 5d; is applied",
			"rule 5: does not match: image is untagged, rule is for tagged images",
		},
	}
	wantSteps(t, p, images, tests)
}

func TestExplainWithoutTheImage(t *testing.T) {
	t.Parallel()
	images := []evaluator.Image{pushed("sha256:a", day)}
	steps, ok := evaluator.Explain(policy(rule(1, lifecycle.ImageCountMoreThan, 1)), images, noon, "sha256:b")
	if ok || steps != nil {
		t.Errorf("Explain = %v, %t; want nothing", steps, ok)
	}
}

func TestExplainWithoutRules(t *testing.T) {
	t.Parallel()
	steps, ok := evaluator.Explain(policy(), []evaluator.Image{pushed("sha256:a", day)}, noon, "sha256:a")
	if !ok || len(steps) != 0 {
		t.Errorf("Explain = %v, %t; want no steps, true", steps, ok)
	}
}
