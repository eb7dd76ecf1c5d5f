package ecs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// families adds the newest task definitions of all active families to the definitions.
func (s *scan) families(ctx context.Context, _ []string) error {
	if s.Revisions == 0 {
		return nil
	}
	families, err := query.List(func(token *string) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
		return s.API.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{
			Status: types.TaskDefinitionFamilyStatusActive, MaxResults: aws.Int32(maxPage), NextToken: token,
		})
	}, func(out *ecs.ListTaskDefinitionFamiliesOutput) ([]string, *string) {
		return out.Families, out.NextToken
	})
	if err := errors.Join(err, named(families...)); err != nil {
		return explain("list task definition families", err)
	}
	return query.Each(ctx, families, s.newest)
}

// newest adds the newest task definitions of one family to the definitions. It skips other
// families, which an emulator lists if their names begin with this one.
func (s *scan) newest(ctx context.Context, family string) error {
	revision := 0
	for arn, err := range query.Pages(func(token *string) (*ecs.ListTaskDefinitionsOutput, error) {
		return s.API.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
			FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc,
			MaxResults: aws.Int32(int32(min(s.Revisions, maxPage))), NextToken: token,
		})
	}, func(out *ecs.ListTaskDefinitionsOutput) ([]string, *string) {
		return out.TaskDefinitionArns, out.NextToken
	}) {
		doing := "list task definitions of " + family
		switch listed := familyOf(arn); {
		case err != nil:
			return explain(doing, err)
		case arn == "":
			return explain(doing, named(arn))
		case !strings.HasPrefix(listed, family):
			return fmt.Errorf("%s: the answer has %s", doing, arn)
		case listed != family:
			continue
		}
		revision++
		s.define(&arn, arn, user{revision: revision})
		if revision == s.Revisions {
			break
		}
	}
	return nil
}

// idleFamilies returns the families that nothing names, and the LastActivity of each. It
// returns none if something that may name a family was not queried.
func (s *scan) idleFamilies(ctx context.Context) (map[string]time.Time, error) {
	if !s.Settings.Complete() {
		s.addNoEffect()
		return nil, nil
	}
	idle, images := map[string]time.Time{}, map[string][]reference.Reference{}
	unknown := map[string]bool{} // the families whose newest registration has no time, as in emulators
	for _, d := range s.definitions {
		family := familyOf(d.name)
		if s.named[family] {
			continue
		}
		idle[family] = later(idle[family], d.registered)
		unknown[family] = unknown[family] || d.users[d.name].revision == 1 && d.registered.IsZero() && !s.Emulated
		for _, image := range d.images {
			if ref, err := reference.ParseAny(image); err == nil {
				images[family] = append(images[family], s.Aliases.Resolve(ref))
			}
		}
	}
	activity, err := s.activityOf(ctx, images)
	if err != nil {
		return nil, err
	}
	for family := range idle {
		known := false
		for _, image := range images[family] {
			if at, listed := activity[image]; listed {
				known, idle[family] = true, later(idle[family], at)
			}
		}
		if !known || unknown[family] {
			idle[family] = time.Time{}
		}
	}
	return idle, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// activityOf returns when each image in the registry was last pushed or pulled. It returns
// nothing unless familyDays needs these times.
func (s *scan) activityOf(ctx context.Context, images map[string][]reference.Reference) (map[reference.Reference]time.Time, error) {
	if s.Settings.FamilyDays == 0 || s.LastActivity == nil || len(images) == 0 {
		return nil, nil
	}
	var all []reference.Reference
	for _, some := range images {
		all = append(all, some...)
	}
	slices.SortFunc(all, reference.Reference.Compare)
	activity, err := s.LastActivity(ctx, slices.Compact(all))
	if err != nil {
		return nil, fmt.Errorf("last activity of the images of task definition families: %w; or set protect.ecs.familyDays to 0", err)
	}
	return activity, nil
}

// addNoEffect adds a finding if familyDays is set and has no effect.
func (s *scan) addNoEffect() {
	if s.Settings.FamilyDays == 0 {
		return
	}
	var off []string
	for _, question := range []struct {
		field string
		on    bool
	}{
		{"daemons", s.Settings.Daemons},
		{"taskSets", s.Settings.TaskSets},
		{"rules", s.Settings.Rules},
		{"schedules", s.Settings.Schedules},
		{"pipes", s.Settings.Pipes},
		{"stateMachines", s.Settings.StateMachines},
	} {
		if !question.on {
			off = append(off, "protect.ecs."+question.field)
		}
	}
	s.AddKnown(inuse.Use{Finding: finding.Finding{Kind: finding.NoEffect, Message: fmt.Sprintf(
		"protect.ecs.familyDays has no effect without %s: it is not known which task definition families something names",
		strings.Join(off, ", "))}})
}
