package apply_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const day = fixture.Day

type (
	fakeRegistry = fixture.FakeRegistry
	logged       = fixture.Logged
	reader       = fixture.Reader
	remover      = fixture.Remover
)

var (
	applyPlan       = fixture.Apply
	applyTo         = fixture.ApplyTo
	errThrottled    = fixture.ErrThrottled
	errUnanswered   = fixture.ErrUnanswered
	failing         = fixture.Failing
	image           = fixture.Image
	index           = fixture.Index
	newFakeRegistry = fixture.NewFakeRegistry
	newRunner       = fixture.NewRunner
	now             = fixture.Now
	numbered        = fixture.Numbered
	planOf          = fixture.PlanOf
	pulled          = fixture.Pulled
	repositoryOf    = fixture.RepositoryOf
	run             = fixture.Run
	settled         = fixture.Settled
	use             = fixture.Use
)
