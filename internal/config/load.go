package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// ErrUnsupportedSource says that a configuration is named in a way that this
// version cannot read.
var ErrUnsupportedSource = errors.New("is not read by this version: name a file, or give the JSON text itself")

// Load reads the configuration that location names: the JSON text itself (it
// begins with a brace), or a file, which read opens. An empty location means
// the default configuration. The error is nil, or names the location and holds
// a [jsondoc.Problems] or what read returned.
func Load(location string, read func(name string) ([]byte, error)) (Config, jsondoc.Problems, error) {
	trimmed := strings.TrimSpace(location)
	switch {
	case trimmed == "":
		return Default(), nil, nil
	case strings.HasPrefix(trimmed, "{"):
		return parse("configuration", []byte(location))
	case strings.HasPrefix(trimmed, "s3://"), strings.HasPrefix(trimmed, "ssm:"):
		return Config{}, nil, fmt.Errorf("configuration %s %w", trimmed, ErrUnsupportedSource)
	}
	text, err := read(trimmed)
	if err != nil {
		return Config{}, nil, fmt.Errorf("read configuration: %w", err)
	}
	return parse("configuration "+trimmed, text)
}

func parse(name string, text []byte) (Config, jsondoc.Problems, error) {
	c, problems := Parse(text)
	if err := problems.Err(); err != nil {
		return Config{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, problems.Warnings(), nil
}
