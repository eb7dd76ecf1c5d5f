package function

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

const maxSourceWait = 30 * time.Second // retries included

// SourceReader returns a function that reads the text of a configuration from a file, an
// S3 object or a parameter. A profile and a region that are not "" override the environment.
func SourceReader(profile, region string, clock func() time.Time) config.Reader {
	return func(ctx context.Context, location string) ([]byte, error) {
		if !strings.HasPrefix(location, "s3://") && !strings.HasPrefix(location, "ssm:") {
			return readFile(location)
		}
		ctx, cancel := context.WithTimeout(ctx, maxSourceWait)
		defer cancel()
		cfg, err := awsclient.Load(ctx, profile, region)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", location, err)
		}
		check := awsclient.WatchClock(&cfg, clock)
		text, err := readRemote(ctx, cfg, location, clock())
		if wrong := check.Check(); err != nil && wrong != nil { // the clock may have made the signature invalid
			err = fmt.Errorf("%s: %w", location, wrong)
		}
		return text, err
	}
}

// readFile reads no more than is necessary to see that a text is too long.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is only read
	return io.ReadAll(io.LimitReader(f, config.MaxBytes+1))
}

func readRemote(ctx context.Context, cfg aws.Config, location string, now time.Time) ([]byte, error) {
	name, isParameter := strings.CutPrefix(location, "ssm:")
	switch {
	case !isParameter:
		return awsclient.GetObject(ctx, cfg, location, now)
	case name == "":
		return nil, fmt.Errorf("location %q must be like ssm:/parameter/name", location)
	}
	text, err := awsclient.GetParameter(ctx, cfg, name, now)
	return []byte(text), err
}
