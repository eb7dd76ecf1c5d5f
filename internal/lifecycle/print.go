package lifecycle

import (
	"bytes"
	"encoding/json"
)

// The printed form of a policy, in the order of AWS's examples.
type (
	printedPolicy struct {
		Rules []printedRule `json:"rules"`
	}
	printedRule struct {
		RulePriority int              `json:"rulePriority"`
		Description  string           `json:"description,omitempty"`
		Selection    printedSelection `json:"selection"`
		Action       printedAction    `json:"action"`
	}
	printedSelection struct {
		TagStatus      TagStatus    `json:"tagStatus"`
		TagPatternList []string     `json:"tagPatternList,omitempty"`
		TagPrefixList  []string     `json:"tagPrefixList,omitempty"`
		StorageClass   StorageClass `json:"storageClass,omitempty"`
		CountType      CountType    `json:"countType"`
		CountUnit      string       `json:"countUnit,omitempty"`
		CountNumber    int          `json:"countNumber"`
	}
	printedAction struct {
		Type               ActionType   `json:"type"`
		TargetStorageClass StorageClass `json:"targetStorageClass,omitempty"`
	}
)

// MarshalJSON prints the policy in AWS's grammar on one line, rules in the
// order of Rules, members that may be left out left out. [Parse] reads an equal
// policy from it.
func (p Policy) MarshalJSON() ([]byte, error) {
	printed := printedPolicy{Rules: make([]printedRule, len(p.Rules))}
	for i, r := range p.Rules {
		printed.Rules[i] = printedRule{
			RulePriority: r.RulePriority,
			Description:  r.Description,
			Selection:    r.Selection.printed(),
			Action:       printedAction(r.Action),
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the text has a limit of length
	err := e.Encode(printed)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (s Selection) printed() printedSelection {
	printed := printedSelection{
		TagStatus:     s.TagStatus,
		TagPrefixList: s.TagPrefixList,
		CountType:     s.CountType,
		CountNumber:   s.CountNumber,
	}
	for _, p := range s.TagPatternList {
		printed.TagPatternList = append(printed.TagPatternList, p.String())
	}
	if s.StorageClass != StandardClass {
		printed.StorageClass = s.StorageClass
	}
	if s.CountType != ImageCountMoreThan {
		printed.CountUnit = days
	}
	return printed
}
