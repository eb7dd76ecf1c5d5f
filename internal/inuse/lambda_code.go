package inuse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// code notes the image of a version, if it is one.
func (s *lambdaScan) code(ctx context.Context, v version) error {
	doing := fmt.Sprintf("get function %s, version %s", v.function, v.version)
	in := &lambda.GetFunctionInput{FunctionName: &v.function}
	if v.version != latest {
		in.Qualifier = &v.version
	}
	out, err := s.api.GetFunction(ctx, in)
	switch {
	case functionGone(err):
		return nil
	case err != nil:
		return s.explain(doing, err)
	case out.Code == nil || out.Configuration == nil:
		return fmt.Errorf("%s: the answer has no code", doing)
	}
	if err := s.image(v, out); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// image notes the image of a version by both of its names. An image function
// has both from its start on; what is neither an image nor code that is known
// is doubted.
func (s *lambdaScan) image(v version, out *lambda.GetFunctionOutput) error {
	resolved, name := aws.ToString(out.Code.ResolvedImageUri), aws.ToString(out.Code.ImageUri)
	if resolved == "" && name == "" {
		kind := cmp.Or(out.Configuration.PackageType, v.kind)
		if kind == types.PackageTypeZip || kind == "" && aws.ToString(out.Code.Location) != "" {
			return nil
		}
		return errors.New("the answer names no image")
	}
	if name != "" {
		if err := s.add(name, "", v.by); err != nil || strings.Contains(name, "@") {
			return err // a name with a digest needs no resolved image
		}
	}
	if resolved != "" {
		return s.add(resolved, "", v.by)
	}
	if inECR(name) && starts(out.Configuration.State) {
		return fmt.Errorf("the answer does not say what %s resolves to", name)
	}
	return nil
}

// inECR reports whether the name points into a private registry of ECR.
func inECR(name string) bool {
	_, err := reference.Parse(name)
	return err == nil
}

// starts reports whether a version in that state can run, and may do so from
// an image that no longer has the tag: all states but two, in which Lambda has
// not, or not yet, taken the image over.
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
func starts(state types.State) bool {
	return state != types.StatePending && state != types.StateFailed
}

// latest is the version that has no number. Without a qualifier it is meant.
const latest = "$LATEST"
