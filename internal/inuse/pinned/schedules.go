package pinned

import (
	"context"
	"net/url"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// schedules are those of EventBridge Scheduler. The target of a schedule that runs an ECS
// task is the cluster, or an operation of ECS with its input, called a universal target.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
type schedules struct{ service }

type schedule struct {
	Arn, GroupName, Name string
	Target               scheduleTarget
}

type scheduleTarget struct {
	Arn, Input    string
	EcsParameters struct{ TaskDefinitionArn string }
}

func (s schedules) find(ctx context.Context) ([]Definition, error) {
	all, err := list(s.service, "list schedules", func(token *string) (*schedulesPage, error) {
		var page schedulesPage // of all groups, because the query names none
		return &page, s.Get(ctx, "ListSchedules", "/schedules", pageQuery("MaxResults", token), &page)
	}, func(p *schedulesPage) ([]schedule, *string) { return p.Schedules, p.NextToken },
		func(s schedule) string { return s.Name })
	if err != nil {
		return nil, err
	}
	return query.Gather(ctx, all, s.definitions)
}

type schedulesPage struct {
	Schedules []schedule
	NextToken *string
}

// definitions returns the task definitions of a schedule.
func (s schedules) definitions(ctx context.Context, listed schedule) ([]Definition, error) {
	if !mayBeECS(listed.Target.Arn) {
		return nil, nil
	}
	doing := "get schedule " + listed.Arn
	group := url.Values{}
	if listed.GroupName != "" { // else it is the default group
		group.Set("groupName", listed.GroupName)
	}
	var found schedule
	err := s.Get(ctx, "GetSchedule", "/schedules/"+url.PathEscape(listed.Name), group, &found)
	switch target := found.Target; {
	case gone(err):
		return nil, nil
	case err != nil:
		return nil, s.failed(doing, err)
	case target.EcsParameters.TaskDefinitionArn != "":
		return []Definition{{target.EcsParameters.TaskDefinitionArn, listed.Arn}}, nil
	case !mayBeECS(target.Arn):
		return nil, nil
	default:
		return s.inInput(doing, target, listed.Arn)
	}
}

// inInput returns the task definitions in the input of an operation of ECS. The operations
// that start a task must name one.
func (s schedules) inInput(doing string, target scheduleTarget, by string) (found []Definition, err error) {
	operation := ecsOperation(target.Arn)
	if target.Input != "" && operation != "" {
		names, err := namesIn(target.Input)
		if err != nil {
			return nil, s.doubtful(doing+": its input", err)
		}
		found = definitions(names, by)
	}
	if len(found) == 0 && (operation == "" || operation == "runtask" || operation == "starttask") {
		return nil, s.doubtful(doing, errNoDefinition)
	}
	return found, nil
}
