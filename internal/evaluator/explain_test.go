package evaluator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
			"rule 1: does not match: image is in storage class standard, rule looks at archive",
			"rule 2: does not match: image is tagged, rule looks at untagged ones",
			"rule 3: does not match: no tag matches *-rc",
			"rule 4: does not match: no tag has the prefix w",
			"rule 5: matches, marks: never pulled, pushed 9d ago, limit 5d; claims the image",
			"rule 6: matches, does not mark: pushed 9d ago, limit 90d; already claimed by rule 5",
			"rule 9: matches, marks: 3rd newest of 3 images, rule keeps 1; already claimed by rule 5",
		},
		"sha256:young": {
			"rule 1: does not match: image is in storage class standard, rule looks at archive",
			"rule 2: does not match: image is tagged, rule looks at untagged ones",
			"rule 3: does not match: no tag matches *-rc",
			"rule 4: does not match: no tag has the prefix w",
			"rule 5: matches, does not mark: never pulled, pushed 4d ago, limit 5d; shields the image",
			"rule 6: matches, does not mark: pushed 4d ago, limit 90d; already shielded by rule 5",
			"rule 9: matches, marks: 2nd newest of 3 images, rule keeps 1; already shielded by rule 5",
		},
		"sha256:untagged": {
			"rule 1: does not match: image is in storage class standard, rule looks at archive",
			"rule 2: matches, does not mark: pushed 3d ago, limit 7d; shields the image",
			"rule 3: does not match: image is untagged, rule looks at tagged ones",
			"rule 4: does not match: image is untagged, rule looks at tagged ones",
			"rule 5: does not match: image is untagged, rule looks at tagged ones",
			"rule 6: does not match: image is untagged, rule looks at tagged ones",
			"rule 9: matches, does not mark: newest of 3 images, rule keeps 1; already shielded by rule 2",
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
	for digest, want := range tests {
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
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Explain mismatch (-want +got):\n%s", diff)
			}
		})
	}
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
