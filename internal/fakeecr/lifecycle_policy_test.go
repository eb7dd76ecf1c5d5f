package fakeecr_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

const noPolicy = "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'"

func TestLifecyclePolicyIsPutGotAndDeleted(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	app, text := aws.String("app"), policyOf(rule(1, `"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5`, `"type": "expire"`))
	_, err := client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: app})
	wantMessage(t, err, "LifecyclePolicyNotFoundException", noPolicy)
	put := must[*ecr.PutLifecyclePolicyOutput](t)(client.PutLifecyclePolicy(t.Context(),
		&ecr.PutLifecyclePolicyInput{RepositoryName: app, LifecyclePolicyText: aws.String(text)}))
	got := must[*ecr.GetLifecyclePolicyOutput](t)(client.GetLifecyclePolicy(t.Context(),
		&ecr.GetLifecyclePolicyInput{RepositoryName: app}))
	deleted := must[*ecr.DeleteLifecyclePolicyOutput](t)(client.DeleteLifecyclePolicy(t.Context(),
		&ecr.DeleteLifecyclePolicyInput{RepositoryName: app}))
	for step, got := range map[string][3]*string{
		"put":    {put.RegistryId, put.RepositoryName, put.LifecyclePolicyText},
		"get":    {got.RegistryId, got.RepositoryName, got.LifecyclePolicyText},
		"delete": {deleted.RegistryId, deleted.RepositoryName, deleted.LifecyclePolicyText},
	} {
		if *got[0] != "123456789012" || *got[1] != "app" || *got[2] != text {
			t.Errorf("%s answered %s, %s, %s", step, *got[0], *got[1], *got[2])
		}
	}
	if !got.LastEvaluatedAt.Equal(time.Unix(0, 0)) {
		t.Errorf("got lastEvaluatedAt %v, want the epoch", got.LastEvaluatedAt)
	}
	_, err = client.DeleteLifecyclePolicy(t.Context(), &ecr.DeleteLifecyclePolicyInput{RepositoryName: app})
	wantMessage(t, err, "LifecyclePolicyNotFoundException", noPolicy)
	s.SetLifecyclePolicy("app", "{")
	got = must[*ecr.GetLifecyclePolicyOutput](t)(client.GetLifecyclePolicy(t.Context(),
		&ecr.GetLifecyclePolicyInput{RepositoryName: app}))
	if *got.LifecyclePolicyText != "{" {
		t.Errorf("got policy %q, want {", *got.LifecyclePolicyText)
	}
}

// rule returns a rule of a policy. Its description has two characters of two bytes.
func rule(priority int, selection, action string) string {
	return fmt.Sprintf(`{"rulePriority": %d, "description": "à l'été", "selection": {%s}, "action": {%s}}`, priority, selection, action)
}

func policyOf(rules ...string) string {
	return `{"rules": [` + strings.Join(rules, ", ") + `]}`
}

func TestPutLifecyclePolicyChecksTheText(t *testing.T) {
	t.Parallel()
	const (
		newest   = `"countType": "imageCountMoreThan", "countNumber": 5`
		old      = `"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 5`
		unpulled = `"countType": "sinceImagePulled", "countUnit": "days", "countNumber": 5`
		cold     = `"storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90`
		anyImage = `"tagStatus": "any", `
		untagged = `"tagStatus": "untagged", `
		prod     = `"tagStatus": "tagged", "tagPatternList": ["prod-*"], `
		expire   = `"type": "expire"`
		archive  = `"type": "transition", "targetStorageClass": "archive"`
	)
	for name, test := range map[string]struct {
		text string
		want string // the beginning of ECR's words; "" is taken
	}{
		"every count type": {policyOf(rule(1, untagged+newest, expire), rule(2, prod+old, archive),
			rule(3, anyImage+unpulled, archive), rule(4, anyImage+cold, expire)), ""},
		"any in two classes":      {policyOf(rule(9, anyImage+newest, expire), rule(1, anyImage+cold, expire)), ""},
		"standard written out":    {policyOf(rule(1, anyImage+newest+`, "storageClass": "standard"`, expire)), ""},
		"no JSON":                 {policyOf(rule(1, anyImage+newest, expire)) + "}", "parsing"},
		"no object":               {"[" + policyOf(rule(1, anyImage+newest, expire)) + "]", "parsing"},
		"a number as text":        {policyOf(rule(1, anyImage+`"countType": "imageCountMoreThan", "countNumber": "5"`, expire)), "parsing"},
		"no rules":                {`{"rules": []` + strings.Repeat(" ", 100) + `}`, "validation"},
		"51 rules":                {policyOf(many(51)...), "validation"},
		"50 rules":                {policyOf(many(50)...), ""},
		"unknown member":          {policyOf(rule(1, anyImage+newest+`, "keepNewest": 1`, expire)), "validation"},
		"null":                    {policyOf(rule(1, anyImage+newest+`, "countUnit": null`, expire)), "validation"},
		"no action":               {`{"rules": [{"rulePriority": 1, "description": "none", "selection": {` + anyImage + newest + `}}]}`, "validation"},
		"priority 0":              {policyOf(rule(0, anyImage+newest, expire)), "validation"},
		"the same priority":       {policyOf(rule(1, prod+newest, expire), rule(1, anyImage+newest, expire)), "validation"},
		"any before another":      {policyOf(rule(1, anyImage+newest, expire), rule(2, prod+newest, expire)), "validation"},
		"two untagged":            {policyOf(rule(1, untagged+newest, expire), rule(2, untagged+old, expire)), "validation"},
		"unknown tag status":      {policyOf(rule(1, `"tagStatus": "TAGGED", `+newest, expire)), "validation"},
		"tagged without a list":   {policyOf(rule(1, `"tagStatus": "tagged", `+newest, expire)), "validation"},
		"both lists":              {policyOf(rule(1, prod+`"tagPrefixList": ["prod"], `+newest, expire)), "validation"},
		"a list for any":          {policyOf(rule(1, anyImage+`"tagPrefixList": ["prod"], `+newest, expire)), "validation"},
		"five stars":              {policyOf(rule(1, `"tagStatus": "tagged", "tagPatternList": ["*-*-*-*-*"], `+newest, expire)), "validation"},
		"unknown count type":      {policyOf(rule(1, anyImage+`"countType": "sinceForever", "countNumber": 5`, expire)), "validation"},
		"a unit for a count":      {policyOf(rule(1, anyImage+newest+`, "countUnit": "days"`, expire)), "validation"},
		"an age without unit":     {policyOf(rule(1, anyImage+`"countType": "sinceImagePushed", "countNumber": 5`, expire)), "validation"},
		"none":                    {policyOf(rule(1, anyImage+`"countType": "imageCountMoreThan", "countNumber": 0`, expire)), "validation"},
		"89 days in the archive":  {policyOf(rule(1, anyImage+strings.Replace(cold, "90", "89", 1), expire)), "validation"},
		"a push in the archive":   {policyOf(rule(1, anyImage+old+`, "storageClass": "archive"`, expire)), "validation"},
		"a transition of none":    {policyOf(rule(1, anyImage+strings.Replace(cold, `"storageClass": "archive", `, "", 1), expire)), "validation"},
		"expire by pull":          {policyOf(rule(1, anyImage+unpulled, expire)), "validation"},
		"transition of archived":  {policyOf(rule(1, anyImage+cold, archive)), "validation"},
		"transition to nowhere":   {policyOf(rule(1, anyImage+newest, `"type": "transition"`)), "parsing"},
		"expire to the archive":   {policyOf(rule(1, anyImage+newest, expire+`, "targetStorageClass": "archive"`)), "validation"},
		"an action of extensions": {policyOf(rule(1, anyImage+newest, `"type": "retain"`)), "validation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := start(t)
			put := &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("app"), LifecyclePolicyText: aws.String(test.text)}
			_, err := client.PutLifecyclePolicy(t.Context(), put)
			if test.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			wantCode(t, err, "InvalidParameterException")
			if want := "failed to satisfy constraint: 'Lifecycle policy " + test.want + " failure: "; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want one with %q", err, want)
			}
			_, err = client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: aws.String("app")})
			wantCode(t, err, "LifecyclePolicyNotFoundException")
		})
	}
}

// many returns n rules of a valid policy.
func many(n int) []string {
	rules := make([]string, n)
	for i := range rules {
		rules[i] = rule(i+1, fmt.Sprintf(`"tagStatus": "tagged", "tagPrefixList": ["v%d"], "countType": "imageCountMoreThan", "countNumber": 5`, i), `"type": "expire"`)
	}
	return rules
}

func TestPutLifecyclePolicyChecksTheLength(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	const message = "Invalid parameter at 'lifecyclePolicyText' failed to satisfy constraint: 'Member must have length %s'"
	for length, want := range map[int]string{
		99:    "greater than or equal to 100",
		30721: "less than or equal to 30720",
	} {
		_, err := client.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{
			RepositoryName: aws.String("app"), LifecyclePolicyText: aws.String(strings.Repeat("x", length)),
		})
		wantMessage(t, err, "InvalidParameterException", strings.Replace(message, "%s", want, 1))
	}
}
