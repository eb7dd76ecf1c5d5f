package pinned

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// rules are the rules of EventBridge. The target of a rule that runs an ECS task is the
// cluster, and EventBridge can list the rules with that target.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html
type rules struct {
	service
	clusters []string
}

type eventsInput struct {
	EventBusName string `json:",omitempty"`
	TargetArn    string `json:",omitempty"`
	Rule         string `json:",omitempty"`
	Limit        int
	NextToken    *string `json:",omitempty"`
}

type eventsPage struct {
	EventBuses []eventBus
	RuleNames  []string
	Targets    []ruleTarget
	NextToken  *string
}

type eventBus struct{ Name, Arn string }

type ruleTarget struct {
	ID            string
	Arn           string
	EcsParameters struct{ TaskDefinitionArn string }
}

// A rule is known by its event bus and name.
type rule struct {
	bus  eventBus
	name string
}

// arn returns the ARN of the rule. It names the event bus, except the default one.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func (r rule) arn() string {
	account, _, _ := strings.Cut(r.bus.Arn, ":event-bus/")
	if r.bus.Name == "default" {
		return account + ":rule/" + r.name
	}
	return account + ":rule/" + r.bus.Name + "/" + r.name
}

func (s rules) find(ctx context.Context) ([]Definition, error) {
	buses, err := list(s.service, "list event buses", s.fetch(ctx, "ListEventBuses", eventsInput{}),
		func(p *eventsPage) ([]eventBus, *string) { return p.EventBuses, p.NextToken },
		func(b eventBus) string { return b.Name })
	switch {
	case err != nil:
		return nil, err
	case len(buses) == 0 && !s.emulated: // each account has the default one
		return nil, s.doubtful("list event buses", errors.New("the answer has no event bus"))
	}
	type pair struct {
		bus     eventBus
		cluster string
	}
	var pairs []pair
	for _, bus := range buses {
		for _, cluster := range s.clusters {
			pairs = append(pairs, pair{bus, cluster})
		}
	}
	found, err := query.Gather(ctx, pairs, func(ctx context.Context, p pair) ([]rule, error) { return s.ofCluster(ctx, p.bus, p.cluster) })
	if err != nil {
		return nil, err
	}
	distinct := map[rule]bool{} // a rule may have targets in several clusters
	for _, r := range found {
		distinct[r] = true
	}
	return query.Gather(ctx, slices.Collect(maps.Keys(distinct)), s.targets)
}

// ofCluster returns the rules of the event bus with a target in the cluster.
func (s rules) ofCluster(ctx context.Context, bus eventBus, cluster string) ([]rule, error) {
	names, err := list(s.service, "list rules of event bus "+bus.Name+" for "+cluster,
		s.fetch(ctx, "ListRuleNamesByTarget", eventsInput{EventBusName: bus.Name, TargetArn: cluster}),
		func(p *eventsPage) ([]string, *string) { return p.RuleNames, p.NextToken },
		func(name string) string { return name })
	if err != nil && !gone(err) {
		return nil, err
	}
	found := make([]rule, len(names))
	for i, name := range names {
		found[i] = rule{bus, name}
	}
	return found, nil
}

// targets returns the task definitions of all targets of the rule.
func (s rules) targets(ctx context.Context, r rule) ([]Definition, error) {
	doing := "list targets of rule " + r.arn()
	var found []Definition
	for target, err := range query.Pages(s.fetch(ctx, "ListTargetsByRule", eventsInput{EventBusName: r.bus.Name, Rule: r.name}),
		func(p *eventsPage) ([]ruleTarget, *string) { return p.Targets, p.NextToken }) {
		definition := target.EcsParameters.TaskDefinitionArn
		switch {
		case gone(err):
			return nil, nil
		case err != nil:
			return nil, s.failed(doing, err)
		case definition != "":
			found = append(found, Definition{definition, r.arn()})
		case mayBeECS(target.Arn):
			return nil, s.doubtful(doing+": target "+target.ID, errNoDefinition)
		}
	}
	return found, nil
}

// fetch returns a function that gets a page of a listing.
func (s rules) fetch(ctx context.Context, operation string, in eventsInput) func(token *string) (*eventsPage, error) {
	return func(token *string) (*eventsPage, error) {
		in.Limit, in.NextToken = maxPage, token
		var page eventsPage
		return &page, s.Post(ctx, "AWSEvents."+operation, "1.1", in, &page)
	}
}
