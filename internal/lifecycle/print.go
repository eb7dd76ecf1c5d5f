package lifecycle

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The JSON form of a rule, in the order of AWS's examples.
type (
	printedRule struct {
		RulePriority int              `json:"rulePriority"`
		Description  string           `json:"description,omitempty"`
		Selection    printedSelection `json:"selection"`
		Action       Action           `json:"action"`
	}
	printedSelection struct {
		TagStatus             TagStatus    `json:"tagStatus"`
		TagPatternList        []TagPattern `json:"tagPatternList,omitempty"`
		TagPrefixList         []string     `json:"tagPrefixList,omitempty"`
		TagRegexList          []string     `json:"tagRegexList,omitempty"`
		TagMatch              string       `json:"tagMatch,omitempty"`
		TagExcludePatternList []TagPattern `json:"tagExcludePatternList,omitempty"`
		StorageClass          StorageClass `json:"storageClass,omitempty"`
		CountType             CountType    `json:"countType,omitempty"`
		CountUnit             string       `json:"countUnit,omitempty"`
		CountNumber           int          `json:"countNumber,omitempty"`
		KeepNewest            int          `json:"keepNewest,omitempty"`
	}
)

// MarshalJSON prints the policy on one line, without optional keys. [Parse] reads an equal
// policy from it.
func (p Policy) MarshalJSON() ([]byte, error) {
	rules := make([]printedRule, len(p.Rules))
	for i, r := range p.Rules {
		rules[i] = printedRule{r.RulePriority, r.Description, r.Selection.printed(), r.Action}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // ECR limits the length of the text
	err := e.Encode(map[string]any{"rules": rules})
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (s Selection) printed() printedSelection {
	printed := printedSelection{
		TagStatus:             s.TagStatus,
		TagPatternList:        s.TagPatternList,
		TagPrefixList:         s.TagPrefixList,
		TagRegexList:          Texts(s.TagRegexList),
		TagExcludePatternList: s.TagExcludePatternList,
		CountType:             s.CountType,
		CountNumber:           s.CountNumber,
		KeepNewest:            s.KeepNewest,
	}
	if s.TagMatchAny {
		printed.TagMatch = matchAny
	}
	if s.StorageClass != StandardClass {
		printed.StorageClass = s.StorageClass
	}
	if s.CountType != ImageCountMoreThan && s.CountType != "" {
		printed.CountUnit = days
	}
	return printed
}

// Texts returns the texts of the entries, and nil if there are none.
func Texts[E fmt.Stringer](entries []E) []string {
	var texts []string
	for _, e := range entries {
		texts = append(texts, e.String())
	}
	return texts
}
