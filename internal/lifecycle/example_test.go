package lifecycle_test

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func ExampleParse() {
	policy, problems := lifecycle.Parse([]byte(`{"rules": [{
		"rulePriority": 1,
		"selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
		"action": {"type": "expire"}
	}]}`), lifecycle.AWS)
	if err := problems.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range policy.Rules {
		fmt.Println(r.RulePriority, r.Action.Type, r.Selection.CountType, r.Selection.CountNumber)
	}
	// Output: 1 expire sinceImagePushed 14
}

func ExampleParse_problems() {
	_, problems := lifecycle.Parse([]byte(`{"rules": [{
  "rulePriority": 0,
  "selection": {"tagStatus": "Untagged", "countType": "sinceImagePushed", "countNumber": 14},
  "action": {"type": "expire", "targetStorageClass": null}
}]}`), lifecycle.AWS)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// 2:19: rules[0].rulePriority: must be from 1 to 2147483647, is 0
	// 3:16: rules[0].selection.countUnit: is missing; "sinceImagePushed" needs "days"
	// 3:30: rules[0].selection.tagStatus: "Untagged" is not known: use "tagged", "untagged", "any" (case counts: "untagged")
	// 4:54: rules[0].action.targetStorageClass: is null; leave the key out with action type "expire"
}
