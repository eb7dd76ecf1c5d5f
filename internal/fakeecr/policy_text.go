package fakeecr

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// A policyText is the policy of PutLifecyclePolicy.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
type policyText struct {
	Rules []policyRule `json:"rules"`
}

// The quotas of a policy, and the smallest count of sinceImageTransitioned.
const (
	maxRules       = 50
	maxWildcards   = 4
	minArchiveDays = 90
)

// checkPolicyText returns ECR's first error about the text. Only the beginning of its
// message is known to be ECR's.
func checkPolicyText(text string) error {
	var members any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return unmappable()
	}
	if _, ok := members.(map[string]any); !ok {
		return unmappable()
	}
	if hasNull(members) {
		return policyFault("instance type (null) does not match any allowed primitive type")
	}
	if err := checkNames(members, reflect.TypeFor[policyText](), ""); err != nil {
		return policyFault("object instance has properties which are not allowed by the schema")
	}
	var p policyText
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return unmappable()
	}
	return p.check()
}

func hasNull(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(value, hasNull)
	case map[string]any:
		for _, member := range value {
			if hasNull(member) {
				return true
			}
		}
	}
	return false
}

func policyFault(format string, args ...any) error {
	return invalid("LifecyclePolicyText", "Lifecycle policy validation failure: "+fmt.Sprintf(format, args...))
}

func unmappable() error {
	return invalid("LifecyclePolicyText", "Lifecycle policy parsing failure: Could not map policyString into LifecyclePolicy.")
}

func (p *policyText) check() error {
	if n := len(p.Rules); n == 0 || n > maxRules {
		return policyFault("array must have from 1 to %d elements but instance has %d elements", maxRules, n)
	}
	for i := range p.Rules {
		if err := p.Rules[i].check(); err != nil {
			return err
		}
	}
	return p.checkAcross()
}

// checkAcross compares the rules of each storage class.
func (p *policyText) checkAcross() error {
	priorities, untagged, last := map[int32]bool{}, map[string]bool{}, map[string]int32{}
	for _, r := range p.Rules {
		class := cmp.Or(r.Selection.StorageClass, "standard")
		if priorities[*r.RulePriority] {
			return policyFault("Duplicate priority in multiple rules")
		}
		priorities[*r.RulePriority] = true
		if r.Selection.TagStatus == "untagged" && untagged[class] {
			return policyFault("Only one rule can select Untagged images per storage class.")
		}
		untagged[class] = untagged[class] || r.Selection.TagStatus == "untagged"
		last[class] = max(last[class], *r.RulePriority)
	}
	for _, r := range p.Rules {
		if r.Selection.TagStatus == "any" && *r.RulePriority < last[cmp.Or(r.Selection.StorageClass, "standard")] {
			return policyFault("Rule for tagStatus=ANY must have the lowest priority per storage class")
		}
	}
	return nil
}
