package render

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func TestTheScreenOfModeReferences(t *testing.T) {
	t.Parallel()
	r := of(config.References)
	r.References = &report.References{Location: "s3://bucket/lists/123456789012/eu-west-1.json", Count: 1200}
	r.Findings = []finding.Finding{{Kind: finding.UnreadableReference, Message: "not in the list: task/1: no image"}}
	const written = "note: not in the list: task/1: no image\n\n" +
		"account 123456789012, eu-west-1: wrote a list with 1,200 references to s3://bucket/lists/123456789012/eu-west-1.json\n"
	awstest.Equal(t, "screen", written, Screen{}.Report(r))
	awstest.Equal(t, "wide screen", written, Screen{}.Images(r))
	r.References, r.Incomplete = nil, true
	r.Findings = []finding.Finding{{Kind: finding.ScanFailed, Message: "in-use scan: ecs: no"}, {Kind: finding.ListNotWritten, Message: "nothing was written"}}
	awstest.Equal(t, "screen after a failure", "failed: in-use scan: ecs: no\nfailed: nothing was written\n\n"+
		"account 123456789012, eu-west-1: no list was written; next: see the messages above, and run again\n", Screen{}.Report(r))
	awstest.Equal(t, "error", "incomplete: 1 in-use source failed (ECS), 1 list not written", Incomplete(r))
}
