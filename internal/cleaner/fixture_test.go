package cleaner_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	account     = fixture.Account
	archiveOld  = fixture.ArchiveOld
	day         = fixture.Day
	expireAll   = fixture.ExpireAll
	expireOld   = fixture.ExpireOld
	scanned     = fixture.Scanned
	unprotected = fixture.Unprotected
)

type (
	fakeRegistry = fixture.FakeRegistry
	logged       = fixture.Logged
	reader       = fixture.Reader
	remover      = fixture.Remover
)

var (
	aging                = fixture.Aging
	applyPlan            = fixture.Apply
	applyTo              = fixture.ApplyTo
	before               = fixture.Before
	changingAfterListing = fixture.ChangingAfterListing
	configure            = fixture.Configure
	errThrottled         = fixture.ErrThrottled
	errUnanswered        = fixture.ErrUnanswered
	failing              = fixture.Failing
	image                = fixture.Image
	index                = fixture.Index
	limited              = fixture.Limited
	losing               = fixture.Losing
	newFakeRegistry      = fixture.NewFakeRegistry
	newRegistry          = fixture.NewRegistry
	newRunner            = fixture.NewRunner
	now                  = fixture.Now
	numbered             = fixture.Numbered
	outcomes             = fixture.Outcomes
	planOf               = fixture.PlanOf
	protectedBy          = fixture.ProtectedBy
	pulled               = fixture.Pulled
	push                 = fixture.Push
	refuse               = fixture.Refuse
	reported             = fixture.Reported
	repositoryOf         = fixture.RepositoryOf
	restored             = fixture.Restored
	run                  = fixture.Run
	runNamed             = fixture.RunNamed
	scans                = fixture.Scans
	settled              = fixture.Settled
	skips                = fixture.Skips
	slowest              = fixture.Slowest
	stored               = fixture.Stored
	toJSON               = fixture.ToJSON
	use                  = fixture.Use
	wantError            = fixture.WantError
	withPolicy           = fixture.WithPolicy
	withStatus           = fixture.WithStatus
	withSubject          = fixture.WithSubject
)
