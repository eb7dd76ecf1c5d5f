package session

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// load loads the configuration. If it is another document, the error says which command takes it.
func (f *Flags) load(ctx context.Context) (config.Config, jsondoc.Problems, error) {
	content := []byte(f.Configuration)
	read := func(ctx context.Context, location string) (text []byte, err error) {
		content, err = f.ReadConfiguration(ctx, location)
		return content, err
	}
	configuration, warnings, err := config.Load(ctx, f.Configuration, read)
	if _, invalid := errors.AsType[jsondoc.Problems](err); invalid {
		if err := f.Wrong(f.Configuration, jsondoc.UTF8(content), doctype.Configuration); err != nil {
			return configuration, nil, err
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return configuration, nil, exit.Usagef("%w; check the name, or write a first configuration with ecrclean init", err)
	case err != nil:
		return configuration, nil, exit.Usagef("%w", err)
	}
	return configuration, warnings, nil
}

// withPolicy returns the configuration with the policy of --policy.
func (f *Flags) withPolicy(c config.Config) (config.Config, error) {
	policy, _, err := f.ReadPolicy(f.Policy, func(text []byte) (lifecycle.Policy, jsondoc.Problems) {
		return lifecycle.Parse(text, lifecycle.Extended)
	})
	return c.WithPolicy(filepath.Base(f.Policy), policy), err
}

// ReadPolicy reads and parses the policy in a file, or in the output of get-lifecycle-policy,
// and prints the warnings. Text is that of the policy.
func (f *Flags) ReadPolicy(
	name string, parse func([]byte) (lifecycle.Policy, jsondoc.Problems),
) (policy lifecycle.Policy, text []byte, err error) {
	content, err := f.ReadInput(name, config.MaxBytes)
	if err != nil {
		return policy, nil, err
	}
	in := doctype.ReadPolicy(content)
	policy, problems := parse(in.Text)
	problems = in.InFile(problems)
	if err := problems.Err(); err != nil {
		return policy, nil, cmp.Or(f.Wrong(name, content, doctype.Policy), exit.Usagef("policy %s: %w", name, err))
	}
	for _, w := range problems.Warnings() {
		f.Notef("policy %s: %s", name, w)
	}
	return policy, in.Text, nil
}
