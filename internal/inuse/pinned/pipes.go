package pinned

import (
	"context"
	"net/url"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// pipes are those of EventBridge Pipes.
type pipes struct{ service }

type pipe struct{ Arn, Name, Target string }

type pipesPage struct {
	Pipes     []pipe
	NextToken *string
}

func (s pipes) find(ctx context.Context) ([]Definition, error) {
	all, err := list(s.service, "list pipes", func(token *string) (*pipesPage, error) {
		var page pipesPage
		return &page, s.Get(ctx, "ListPipes", "/v1/pipes", pageQuery("Limit", token), &page)
	}, func(p *pipesPage) ([]pipe, *string) { return p.Pipes, p.NextToken }, func(p pipe) string { return p.Name })
	if err != nil {
		return nil, err
	}
	return query.Gather(ctx, all, s.definition)
}

// definition returns the task definition of a pipe. It has none if the pipe takes the name
// from each event, by a JSON path.
// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeTargetEcsTaskParameters.html
func (s pipes) definition(ctx context.Context, listed pipe) ([]Definition, error) {
	if !mayBeECS(listed.Target) {
		return nil, nil
	}
	doing := "describe pipe " + listed.Arn
	var found struct {
		Target           string
		TargetParameters struct {
			EcsTaskParameters struct{ TaskDefinitionArn string }
		}
	}
	err := s.Get(ctx, "DescribePipe", "/v1/pipes/"+url.PathEscape(listed.Name), nil, &found)
	switch definition := found.TargetParameters.EcsTaskParameters.TaskDefinitionArn; {
	case gone(err):
		return nil, nil
	case err != nil:
		return nil, s.failed(doing, err)
	case definition == "" && mayBeECS(found.Target):
		return nil, s.doubtful(doing, errNoDefinition)
	case definition == "", strings.HasPrefix(definition, "$"):
		return nil, nil
	default:
		return []Definition{{definition, listed.Arn}}, nil
	}
}
