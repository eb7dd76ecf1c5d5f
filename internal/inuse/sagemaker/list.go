package sagemaker

import (
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// A page is an answer of one of the listings.
type page struct {
	Models, Endpoints, InferenceComponents                                         []summary
	HyperParameterTuningJobSummaries, TrainingJobSummaries, ProcessingJobSummaries []summary
	AlgorithmSummaryList, PipelineSummaries, MonitoringScheduleSummaries           []summary
	Images, ImageVersions                                                          []summary
	NextToken                                                                      *string
}

type summary map[string]any

// list returns the list of the page, which has one.
func (p page) list() []summary {
	for _, list := range [][]summary{
		p.Models, p.Endpoints, p.InferenceComponents, p.HyperParameterTuningJobSummaries, p.TrainingJobSummaries, p.ProcessingJobSummaries,
		p.AlgorithmSummaryList, p.PipelineSummaries, p.MonitoringScheduleSummaries, p.Images, p.ImageVersions,
	} {
		if list != nil {
			return list
		}
	}
	return nil
}

// An item has a name or, if it is an image version, a number.
type item struct {
	name, arn string
	version   any
}

// list returns the resources of a kind. In has the other members of the input.
func (s source) list(ctx context.Context, k kind, in map[string]any) ([]item, error) {
	in["MaxResults"] = 100
	var all []item
	for found, err := range query.Pages(func(token *string) (out page, err error) {
		if token != nil {
			in["NextToken"] = *token
		}
		err = s.post(ctx, "List"+k.name+"s", in, &out)
		return out, err
	}, func(p page) ([]summary, *string) { return p.list(), p.NextToken }) {
		doing := "list " + k.text + "s"
		if err != nil {
			return nil, query.Explain(name, doing, err)
		}
		i := item{version: found["Version"]}
		i.name, _ = found[k.name+"Name"].(string)
		i.arn, _ = found[k.name+"Arn"].(string)
		if i.name == "" && i.version == nil {
			return nil, fmt.Errorf("%s: the answer has an item without a name", doing)
		}
		all = append(all, i)
	}
	return all, nil
}
