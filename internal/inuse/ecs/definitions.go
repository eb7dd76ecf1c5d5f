package ecs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// A definition is a task definition or a daemon task definition.
type definition struct {
	name  string          // an ARN, or the name in a Pin
	users map[string]user // by Use.By
	// These are empty until the definition is described.
	images     []string  // of the containers
	registered time.Time // zero if unknown
}

// A user of a definition.
type user struct {
	revision int  // as in inuse.Use
	optional bool // true if a definition that does not exist names nothing
}

// define adds a user of the definition. Two uses by the same user become one.
func (s *scan) define(name *string, by string, u user) {
	arn := aws.ToString(name)
	if arn == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.definitions[arn]
	if d == nil {
		d = &definition{name: arn, users: map[string]user{}}
		s.definitions[arn] = d
	}
	if other, known := d.users[by]; known {
		u = user{min(u.revision, other.revision), u.optional && other.optional}
	}
	d.users[by] = u
	if u.revision == 0 {
		s.named[familyOf(arn)] = true
	}
}

// name notes that something names the family of the definition.
func (s *scan) name(definition string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named[familyOf(definition)] = true
}

const daemonDefinition = "daemon-task-definition/" // before the family in the ARN

// isDaemon reports whether the definition is a daemon task definition.
func isDaemon(definition string) bool { return strings.Contains(definition, ":"+daemonDefinition) }

// familyOf returns the family of a definition. A family of daemon task definitions is
// another family than one of task definitions with the same name.
func familyOf(definition string) string {
	family, _, _ := strings.Cut(definition[strings.LastIndexByte(definition, '/')+1:], ":")
	if isDaemon(definition) {
		return daemonDefinition + family
	}
	return family
}

// describeDefinition reads the images of the definition. It reads none if the definition
// does not exist and no user needs it.
func (s *scan) describeDefinition(ctx context.Context, d *definition) error {
	describe, explained := s.describeTask, explain
	if isDaemon(d.name) {
		describe, explained = s.describeDaemonTask, explainDaemon
	}
	doing, optional := "describe task definition "+d.name, true
	for _, by := range slices.Sorted(maps.Keys(d.users)) {
		u := d.users[by]
		optional = optional && u.optional
		if u.optional && by != d.name {
			doing = "describe task definition " + d.name + ", which " + by + " names"
		}
	}
	switch err := describe(ctx, d, s.errorPageOnce(optional)); {
	case err != nil && optional && (isDeleted(err) || s.unknown(err)):
		return nil
	case err != nil:
		return explained(doing, err)
	case len(d.images) == 0:
		return fmt.Errorf("%s: the answer has no containers", doing)
	case slices.Contains(d.images, ""):
		return fmt.Errorf("%s: the answer has a container without an image", doing)
	}
	return nil
}

func (s *scan) describeTask(ctx context.Context, d *definition, options func(*ecs.Options)) error {
	out, err := s.API.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &d.name}, options)
	if err != nil || out.TaskDefinition == nil {
		return err
	}
	d.registered = aws.ToTime(out.TaskDefinition.RegisteredAt)
	for _, container := range out.TaskDefinition.ContainerDefinitions {
		d.images = append(d.images, aws.ToString(container.Image))
	}
	return nil
}

func (s *scan) describeDaemonTask(ctx context.Context, d *definition, options func(*ecs.Options)) error {
	out, err := s.API.DescribeDaemonTaskDefinition(ctx, &ecs.DescribeDaemonTaskDefinitionInput{DaemonTaskDefinition: &d.name}, options)
	if err != nil || out.DaemonTaskDefinition == nil {
		return err
	}
	d.registered = aws.ToTime(out.DaemonTaskDefinition.RegisteredAt)
	for _, container := range out.DaemonTaskDefinition.ContainerDefinitions {
		d.images = append(d.images, aws.ToString(container.Image))
	}
	if out.DaemonTaskDefinition.Status == types.DaemonTaskDefinitionStatusDeleted && len(d.images) == 0 {
		return errDeleted
	}
	return nil
}

var errDeleted = errors.New("it is deleted")

// isDeleted reports whether the definition does not exist. ECS says so in the message.
func isDeleted(err error) bool {
	text := err.Error()
	return errors.Is(err, errDeleted) || query.HasCode(err, "DaemonTaskDefinitionNotFoundException") ||
		query.HasCode(err, "ClientException") && (strings.Contains(text, "Unable to describe") || strings.Contains(text, "not found"))
}

// unknown reports whether an emulator answered that it does not know the operation.
func (s *scan) unknown(err error) bool {
	return s.Emulated && (query.NotKnown(err) || awsclient.IsErrorPage(err))
}

// errorPageOnce prevents retries of an emulator's error page, if it is an answer.
func (s *scan) errorPageOnce(isAnswer bool) func(*ecs.Options) {
	return func(o *ecs.Options) {
		if s.Emulated && isAnswer {
			o.Retryer = awsclient.ErrorPageOnce{Retryer: o.Retryer}
		}
	}
}

// addDefinitions adds the uses of the images in all definitions.
func (s *scan) addDefinitions(ctx context.Context) error {
	idle, err := s.idleFamilies(ctx)
	if err != nil {
		return err
	}
	for _, d := range s.definitions {
		use := inuse.Use{}
		if last, isIdle := idle[familyOf(d.name)]; isIdle {
			use.Family, use.LastActivity = familyOf(d.name), last
		}
		for _, image := range d.images {
			for by, u := range d.users {
				use.By, use.Revision = by, u.revision
				if err := s.container(image, "", use); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
