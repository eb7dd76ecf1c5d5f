package config

import (
	"context"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A Reader returns the text at a location: a file, s3://bucket/key, or ssm:/parameter/name.
// It may cut a text after more than [MaxBytes]. Its errors name the location.
type Reader func(ctx context.Context, location string) ([]byte, error)

// Load reads the configuration at a location: a JSON text, which begins with a brace or a
// comment, or anything that read accepts. An empty location is the default configuration. The problems
// are warnings. The error can wrap a [jsondoc.Problems].
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

// Text returns the text at a location as [Load] reads it, in UTF-8, and the name of its
// source. The name is empty if the location is a JSON text.
func Text(ctx context.Context, location string, read Reader) (name string, text []byte, err error) {
	name = strings.TrimSpace(location)
	if IsText(name) {
		return "", []byte(location), nil
	}
	text, err = read(ctx, name)
	return name, jsondoc.UTF8(text), err
}

// IsText reports whether a location, without the space before it, is the text of a
// configuration itself.
func IsText(location string) bool {
	return strings.HasPrefix(location, "{") || strings.HasPrefix(location, "//")
}

// An UnsupportedError says that a run cannot apply a configuration, because it sets fields
// that this version does not support.
type UnsupportedError struct {
	Fields []string // of [Config.Unsupported]
}

func (e *UnsupportedError) Error() string {
	return "configuration: apply does not support these yet: " + strings.Join(e.Fields, "; ")
}

// Unsupported names the fields that this version does not support, each with the value to
// set instead. A run that removes images must refuse such a configuration.
func (c Config) Unsupported() []string {
	var fields []string
	if c.Report.S3 != "" {
		fields = append(fields, `report.s3 (set "")`)
	}
	if c.Report.HTML {
		fields = append(fields, "report.html (set false)")
	}
	if c.Report.SNS != "" {
		fields = append(fields, `report.sns (set "")`)
	}
	return fields
}
