package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// code adds the image of a version, if it has one.
func (s scan) code(ctx context.Context, v version) error {
	doing := fmt.Sprintf("get function %s, version %s", v.function, v.version)
	in := &lambda.GetFunctionInput{FunctionName: &v.function}
	if v.version != "$LATEST" { // the default
		in.Qualifier = &v.version
	}
	out, err := s.API.GetFunction(ctx, in)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return explain(doing, err)
	case out.Code == nil || out.Configuration == nil:
		return fmt.Errorf("%s: the answer has no code", doing)
	}
	if err := s.image(v, out); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// image adds the image of a version by its two names. A version without either name is
// an error, unless it is known to have no image.
func (s scan) image(v version, out *lambda.GetFunctionOutput) error {
	resolved, given := aws.ToString(out.Code.ResolvedImageUri), aws.ToString(out.Code.ImageUri)
	if resolved == "" && given == "" {
		kind := cmp.Or(out.Configuration.PackageType, v.kind)
		if kind == types.PackageTypeZip || kind == "" && aws.ToString(out.Code.Location) != "" {
			return nil
		}
		return errors.New("the answer names no image")
	}
	use := inuse.Use{By: v.by}
	if given != "" {
		if err := s.Add(given, "", use); err != nil || strings.Contains(given, "@") {
			return err // a name with a digest needs no resolved image
		}
	}
	if resolved != "" {
		return s.Add(resolved, "", use)
	}
	if _, notECR := reference.Parse(given); notECR == nil && mayRun(out.Configuration.State) {
		return fmt.Errorf("the answer does not say what %s resolves to", given)
	}
	return nil
}

// mayRun reports whether a version in that state can run, perhaps from an image that has
// lost its tag. In the other two states Lambda has not copied the image.
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
func mayRun(state types.State) bool {
	return state != types.StatePending && state != types.StateFailed
}
