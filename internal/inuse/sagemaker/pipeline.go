package sagemaker

import (
	"encoding/json"
	"fmt"
	"strings"

	ecrimage "github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// planned returns the images in the definition of a pipeline: those that its steps name, and
// each text that is the name of an image in ECR, such as the default of a parameter.
// https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html
func (d *description) planned() ([]reference, error) {
	if d.PipelineArn == "" {
		return nil, nil
	}
	var definition any
	if err := json.Unmarshal([]byte(d.PipelineDefinition), &definition); err != nil {
		return nil, fmt.Errorf("its definition: %w", err)
	}
	return collect("", definition, nil), nil
}

// collect adds the images in a value of a member to found.
func collect(member string, value any, found []reference) []reference {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			found = collect(strings.ToLower(name), inner, found)
		}
	case []any:
		for _, inner := range value {
			found = collect(member, inner, found)
		}
	case string:
		_, err := ecrimage.Parse(value)
		if err != nil && (strings.HasSuffix(member, "image") || strings.HasSuffix(member, "imageuri")) {
			_, err = ecrimage.ParseAny(value) // perhaps by another host of the registry
		}
		if err == nil {
			found = append(found, reference{Image: value})
		}
	}
	return found
}
