package fleet_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

func TestUsesAreSortedByRegistry(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	uses := []inuse.Use{
		{Reference: reference.Reference{Digest: digest}, By: "digest"},
		{Problem: "unreadable", By: "task"},
		{Finding: finding.Finding{Kind: finding.ScanFailed, Message: "found"}},
	}
	for _, image := range []string{"222222222222.dkr.ecr.eu-west-1.amazonaws.com/app:1", "proxy.example/app:1"} {
		ref, err := reference.ParseAny(image)
		awstest.NoError(t, err)
		uses = append(uses, inuse.Use{Reference: ref, AllImages: true})
	}
	lists, elsewhere, findings := fleet.Split(uses)
	if len(lists) != 1 || len(lists[config.Place{Account: "222222222222", Region: "eu-west-1"}]) != 1 || len(elsewhere) != 2 || !elsewhere[1].AllImages || len(findings) != 2 {
		t.Fatalf("%v, %v, %v", lists, elsewhere, findings)
	}
	if !strings.Contains(elsewhere[0].Image, digest) {
		t.Errorf("the digest is lost: %+v", elsewhere[0])
	}
}
