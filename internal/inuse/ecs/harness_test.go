package ecs_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"

type object = inusetest.Object

// A fault is an answer that is an error.
type fault struct {
	status        int
	code, message string
}

const (
	region   = inusetest.Region
	registry = inusetest.Registry
)

var (
	now         = inusetest.Now
	sha         = inusetest.Digest
	config      = inusetest.Config
	configFor   = inusetest.ConfigFor
	answer      = inusetest.Answer
	uses        = inusetest.Uses
	wantUses    = inusetest.WantUses
	wantFailure = inusetest.WantFailure
)
