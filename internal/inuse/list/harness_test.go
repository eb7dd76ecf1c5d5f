package list_test

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	region   = inusetest.Region
	registry = inusetest.Registry
	task     = "arn:aws:ecs:eu-west-1:123456789012:task/"
)

var (
	now         = inusetest.Now
	sha         = inusetest.Digest
	uses        = inusetest.Uses
	wantUses    = inusetest.WantUses
	wantFailure = inusetest.WantFailure
)

func use(tag, by string) inuse.Use {
	return inuse.Use{Reference: reference.Reference{RegistryID: "123456789012", Region: region, Repository: "app", Tag: tag}, By: by}
}

// from returns the use as a scan returns it from the list that read returns.
func from(u inuse.Use) inuse.Use {
	u.Source = "refs.txt"
	return u
}
