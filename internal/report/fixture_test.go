package report_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const day = fixture.Day

var (
	image  = fixture.Image
	now    = fixture.Now
	run    = fixture.Run
	toJSON = fixture.ToJSON
)
