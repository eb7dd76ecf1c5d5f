package fakeecr

import (
	"cmp"
	"strings"
)

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

// checkCount checks the count type and its members.
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
