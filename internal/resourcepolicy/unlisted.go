package resourcepolicy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Unlisted returns the principals that the policy lets pull and whose account may be another
// than the accounts, sorted. A statement that is limited to the organization, unless that is
// "", lets no such AWS principal pull: the accounts of the organization are listed. A service
// pulls for the accounts to which a condition limits it.
func (p Policy) Unlisted(accounts []string, organization string) []string {
	if p.unreadable {
		return []string{"unknown principals (the policy cannot be read)"}
	}
	var others []string
	for _, s := range p.pulls {
		others = append(others, s.unlisted(accounts, organization)...)
	}
	slices.Sort(others)
	return slices.Compact(others)
}

func (s statement) unlisted(accounts []string, organization string) []string {
	if s.NotPrincipal != nil || len(s.Principal) == 0 {
		return []string{"unknown principals (a statement does not name them)"}
	}
	var others []string
	for kind, names := range s.Principal {
		if len(names) == 0 {
			others = append(others, "unknown principals (a statement does not name them)")
		}
		for _, name := range names {
			switch {
			case kind == "AWS" && (slices.Contains(accounts, accountOf(name)) || s.isLimitedTo(organization)):
			case kind == "Service":
				others = append(others, s.unlistedFor(name, accounts)...)
			default:
				others = append(others, fmt.Sprintf("%s %q", kind, name))
			}
		}
	}
	return others
}

// isLimitedTo reports whether a condition admits only principals of the organization.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (s statement) isLimitedTo(organization string) bool {
	return organization != "" && slices.ContainsFunc(s.conditions(), func(c condition) bool {
		switch {
		case c.operator == "StringEquals" && c.key == "aws:principalorgid":
			return !slices.ContainsFunc(c.values, func(v string) bool { return v != organization })
		case (c.operator == "ForAnyValue:StringEquals" || c.operator == "ForAnyValue:StringLike") && c.key == "aws:principalorgpaths":
			return !slices.ContainsFunc(c.values, func(v string) bool { return !strings.HasPrefix(v, organization+"/") })
		}
		return false
	})
}

// unlistedFor returns the service for the other accounts to which the conditions limit it. One
// without a limit pulls for every account.
func (s statement) unlistedFor(service string, accounts []string) []string {
	others := []string{fmt.Sprintf("Service %q for any account", service)}
	for _, c := range s.conditions() {
		of, limits := c.sources()
		if !limits {
			continue
		}
		of = slices.DeleteFunc(of, func(account string) bool { return slices.Contains(accounts, account) })
		if others = nil; len(of) == 0 {
			return nil
		}
		for _, account := range of {
			others = append(others, fmt.Sprintf("Service %q for %s", service, account))
		}
	}
	return others
}

// A condition compares one key, in small letters, with at least one value.
type condition struct {
	operator, key string
	values        []string
}

// conditions returns the conditions of the statement, all of which must hold. It returns none
// if it cannot read them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (s statement) conditions() (all []condition) {
	var operators map[string]map[string]list[string]
	if json.Unmarshal(s.Condition, &operators) != nil {
		return nil
	}
	for operator, keys := range operators {
		for key, values := range keys {
			if len(values) > 0 {
				all = append(all, condition{operator, strings.ToLower(key), values})
			}
		}
	}
	return all
}

// sources returns the accounts for whose resources a service acts, if the condition limits it
// to accounts. A value with a wildcard in place of the account does not.
func (c condition) sources() (accounts []string, limits bool) {
	isOperator := slices.Contains([]string{"StringEquals", "StringLike", "ArnEquals", "ArnLike"}, c.operator)
	if !isOperator || c.key != "aws:sourceaccount" && c.key != "aws:sourcearn" {
		return nil, false
	}
	for _, value := range c.values {
		account := accountOf(value)
		if !isNumber(account) {
			return nil, false
		}
		accounts = append(accounts, account)
	}
	return accounts, true
}
