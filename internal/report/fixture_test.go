package report_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	archiveOld = fixture.ArchiveOld
	day        = fixture.Day
	expireAll  = fixture.ExpireAll
	expireDead = fixture.ExpireDead
	expireOld  = fixture.ExpireOld
)

var (
	changingAfterListing = fixture.ChangingAfterListing
	image                = fixture.Image
	index                = fixture.Index
	newFakeRegistry      = fixture.NewFakeRegistry
	newRunner            = fixture.NewRunner
	now                  = fixture.Now
	numbered             = fixture.Numbered
	pulled               = fixture.Pulled
	refuse               = fixture.Refuse
	restored             = fixture.Restored
	run                  = fixture.Run
	scans                = fixture.Scans
	sorted               = fixture.Sorted
	toJSON               = fixture.ToJSON
	use                  = fixture.Use
	withStatus           = fixture.WithStatus
)
