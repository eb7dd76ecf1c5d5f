package fakeecr

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A policyText is the document that PutLifecyclePolicy takes.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
type policyText struct {
	Rules []policyRule `json:"rules"`
}

type policyRule struct {
	RulePriority *int32           `json:"rulePriority"`
	Description  string           `json:"description"`
	Selection    *policySelection `json:"selection"`
	Action       *policyAction    `json:"action"`
}

type policySelection struct {
	TagStatus      string   `json:"tagStatus"`
	TagPatternList []string `json:"tagPatternList"`
	TagPrefixList  []string `json:"tagPrefixList"`
	StorageClass   string   `json:"storageClass"`
	CountType      string   `json:"countType"`
	CountUnit      string   `json:"countUnit"`
	CountNumber    int32    `json:"countNumber"`
}

type policyAction struct {
	Type               string `json:"type"`
	TargetStorageClass string `json:"targetStorageClass"`
}

// The quotas of a policy and the least age of an archived image that goes.
const (
	maxRules       = 50
	maxWildcards   = 4
	minArchiveDays = 90
)

// checkPolicyText refuses what ECR refuses of a policy. It stops at the first
// fault; of ECR's words only the beginning is certain.
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

func (r *policyRule) check() error {
	if r.RulePriority == nil || r.Selection == nil || r.Action == nil {
		return policyFault(`object has missing required properties (["action","rulePriority","selection"])`)
	}
	if *r.RulePriority < 1 {
		return policyFault("numeric instance is lower than the required minimum (minimum: 1, found: %d)", *r.RulePriority)
	}
	return cmp.Or(r.Selection.checkTags(), r.Selection.checkCount(), r.checkAction())
}

func (s *policySelection) checkTags() error {
	lists := len(s.TagPatternList) + len(s.TagPrefixList)
	switch s.TagStatus {
	case "tagged":
		if lists == 0 {
			return policyFault("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.")
		}
		if len(s.TagPatternList) > 0 && len(s.TagPrefixList) > 0 {
			return policyFault("If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList")
		}
	case "untagged", "any":
		if s.TagPatternList != nil || s.TagPrefixList != nil {
			return policyFault("Cannot specify tagPrefixList with tagStatus %s", s.TagStatus)
		}
	default:
		return policyFault(`instance value (%q) not found in enum :(possible values: ["any","tagged","untagged"])`, s.TagStatus)
	}
	for _, pattern := range s.TagPatternList {
		if strings.Count(pattern, "*") > maxWildcards {
			return policyFault("Invalid tag pattern provided. Total number of * must not exceed %d", maxWildcards)
		}
	}
	return nil
}

// checkCount checks that the selection is of one of the four kinds.
func (s *policySelection) checkCount() error {
	class, unit, least := "standard", "days", int32(1)
	switch s.CountType {
	case "imageCountMoreThan":
		unit = ""
	case "sinceImagePushed", "sinceImagePulled":
	case "sinceImageTransitioned":
		class, least = "archive", minArchiveDays
	default:
		return notOneOf(4)
	}
	if s.CountUnit != unit || s.StorageClass != class && (s.StorageClass != "" || class == "archive") {
		return notOneOf(4)
	}
	if s.CountNumber < least {
		return policyFault("numeric instance is lower than the required minimum (minimum: %d, found: %d)", least, s.CountNumber)
	}
	return nil
}

func (r *policyRule) checkAction() error {
	switch *r.Action {
	case policyAction{Type: "expire"}:
		if r.Selection.CountType == "sinceImagePulled" {
			return policyFault("SINCE_IMAGE_PULLED does not support the EXPIRE action")
		}
	case policyAction{Type: "transition", TargetStorageClass: "archive"}:
		if r.Selection.CountType == "sinceImageTransitioned" {
			return policyFault("SINCE_IMAGE_TRANSITIONED does not support the TRANSITION action")
		}
	case policyAction{Type: "transition"}:
		return unmappable()
	default:
		return notOneOf(2)
	}
	return nil
}

func notOneOf(schemas int) error {
	return policyFault("instance failed to match exactly one schema (matched 0 out of %d)", schemas)
}

// checkAcross compares the rules with each other, by storage class.
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
