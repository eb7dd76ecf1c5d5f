package config

import (
	"context"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A Reader returns the text at a location: a file, s3://bucket/key, or
// ssm:/parameter/name. Of a text that is longer than [MaxBytes] it may return
// the beginning only, as long as that is too long too. Its errors name the
// location.
type Reader func(ctx context.Context, location string) ([]byte, error)

// Load reads the configuration that location names: the JSON text itself (it
// begins with a brace), or anything that read can read. An empty location means
// the default configuration. The error is nil, or names the location and holds
// a [jsondoc.Problems] or what read returned.
func Load(ctx context.Context, location string, read Reader) (Config, jsondoc.Problems, error) {
	if strings.TrimSpace(location) == "" {
		return Default(), nil, nil
	}
	name, text, err := Text(ctx, location, read)
	if err != nil {
		return Config{}, nil, fmt.Errorf("read configuration: %w", err)
	}
	c, problems := Parse(text)
	if err := problems.Err(); err != nil {
		return Config{}, nil, fmt.Errorf("%s: %w", strings.TrimSpace("configuration "+name), err)
	}
	return c, problems.Warnings(), nil
}

// Text returns the text of the document that location names, as [Load] reads
// it, and the name of its source, which is empty for the text itself.
func Text(ctx context.Context, location string, read Reader) (name string, text []byte, err error) {
	name = strings.TrimSpace(location)
	if strings.HasPrefix(name, "{") {
		return "", []byte(location), nil
	}
	text, err = read(ctx, name)
	return name, text, err
}
