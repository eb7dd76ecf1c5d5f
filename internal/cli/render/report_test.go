package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const digest = "sha256:a100000000000000000000000000000000000000000000000000000000000000"

func keptBy(kind plan.ProtectionKind) []plan.Protection {
	return []plan.Protection{{Kind: kind, By: "x"}}
}

// of returns the report on the repositories, with totals.
func of(mode config.Mode, repositories ...report.Repository) *report.Report {
	r := &report.Report{Mode: mode, Account: "123456789012", Region: "eu-west-1"}
	for _, repository := range repositories {
		r.Add(repository)
	}
	return r
}

// some is a registry with every kind of repository.
func some() *report.Report {
	r := of(config.Plan,
		report.Repository{Name: "app", Policy: "old", Counts: report.Counts{Evaluated: 2000, Expired: 3, Untagged: 1, Protected: 2, ReclaimableBytes: 42_000_000_000}, Images: []report.Image{
			{ImageDigest: digest, ImageTags: []string{"v1", "v2", "v3", "v4"}, Verdict: evaluator.Expire, AppliedRulePriority: 1, Reason: "pushed 40d 1h ago, limit 30d"},
			{ImageDigest: "sha256:b", Verdict: evaluator.Expire, Reason: "named\x1b", ProtectedBy: keptBy(plan.ByKeepNewest)},
			{ImageDigest: "sha256:c", Verdict: evaluator.Expire, ProtectedBy: keptBy(plan.ByInUse)},
			{ImageDigest: "sha256:d", Verdict: evaluator.Expire, OnExpire: config.ArchiveExpired},
			{ImageDigest: "sha256:e", Verdict: evaluator.Expire},
			{ImageDigest: "sha256:f", Verdict: evaluator.Untag, Untag: []string{"pr-1"}},
		}},
		report.Repository{
			Name: "big", Counts: report.Counts{Evaluated: 2000, Expired: 1500, ReclaimableBytes: 8e10}, Skipped: plan.SkipLimit,
			Message: "1500 of 2000 images would be removed, maxDeletionsPerRepository is 1000",
		},
		report.Repository{
			Name: "half", Counts: report.Counts{Evaluated: 3, Expired: 2, ReclaimableBytes: 5e9}, Skipped: plan.SkipLimit,
			Message: "2 of 3 images would be removed, maxDeletedPercent is 50",
		},
		report.Repository{
			Name: "late", Counts: report.Counts{Evaluated: 9, Expired: 8}, Skipped: plan.SkipLimit,
			Message: "8 images would be removed, and the run's maxDeletions allows 2 more",
		},
		report.Repository{Name: "web", Skipped: plan.SkipNoPolicy, Message: "no policy"},
		report.Repository{Name: "bad-1", Skipped: plan.SkipFailed, Message: "describe images in bad-1: no"},
		report.Repository{Name: "bad-2", Skipped: plan.SkipFailed, Message: "describe images in bad-2: no"},
	)
	for i := range 4 {
		r.Findings = append(r.Findings, finding.Finding{Kind: finding.NothingReferences, Repository: fmt.Sprint("r", i), Message: "no reference to its images found in ecs, lambda"})
	}
	r.Findings = append(r.Findings, finding.Finding{Kind: finding.NoEffect, Message: "look"},
		finding.Finding{Kind: finding.MovedTag, Repository: "app", Message: "one"}, finding.Finding{Kind: finding.MovedTag, Repository: "web", Message: "two"})
	return r
}

func TestTheScreenHasALineForEachRepository(t *testing.T) {
	t.Parallel()
	want := `account 123456789012, eu-west-1; policy keep.json; 4 to remove

REPOSITORY  IMAGES  TO DELETE  PROTECTED  MAX SIZE  MAX $/MONTH  NOTE
bad-1            0          0          0       0 B        $0.00  skipped: failed
bad-2            0          0          0       0 B        $0.00  skipped: failed
big          2,000          0          0       0 B        $0.00  limit: 1,500 images, 80 GB
half             3          0          0       0 B        $0.00  limit: 2 images, 5.0 GB
late             9          0          0       0 B        $0.00  limit: 8 images, 0 B
app          2,000          2          2     42 GB        $4.20  1 to archive, 1 to lose tags
web              0          0          0       0 B        $0.00  skipped: no policy

failed: describe images in bad-1: no (2 repositories: bad-1, bad-2)
limit: 1,510 images, at most 85 GB, in 3 repositories are kept: big (1,500), half (2), late (8); --max-deletions-per-repository 1500 --max-deletions 1514 --max-deleted-percent 89 would allow them
note: no image in use found in ECS or Lambda (4 repositories: r0, r1, r2 and 1 more)
note: look
note: app: one (and 1 more like it in app, web; -o wide lists all)

to delete   2 images in 1 repository; also 1 to archive, 1 to lose tags
protected   2 images: in use 1, newest 1
skipped     6 of 7 repositories: limit 3, failed 2, no policy 1; for the limits see above
saves       at most 42 GB and $4.20 a month; limits hold back 85 GB and $8.50 a month (images share layers; $0.10 per GB-month)
failed      2 repositories failed; next: see the messages above, and run again
`
	awstest.Equal(t, "screen", want, Screen{Configuration: "policy keep.json"}.Report(some()))
}

func TestTheScreenAfterApplyHasTheOutcomes(t *testing.T) {
	t.Parallel()
	image := func(o plan.Outcome, message string) report.Image {
		return report.Image{ImageDigest: digest, Verdict: evaluator.Expire, Outcome: o, Message: message}
	}
	r := of(config.Apply, report.Repository{Name: "app", Counts: report.Counts{
		Evaluated: 9, Expired: 6, Deleted: 1, Failed: 2, Changed: 1, Blocked: 1, NotAttempted: 1, ReclaimableBytes: 6e9, DeletedBytes: 1e9,
	}, Images: []report.Image{
		image(plan.Deleted, ""), image(plan.Failed, "KmsError"), image(plan.Failed, "KmsError"), image(plan.Changed, "imageTags changed"),
		image(plan.Blocked, ""), image(plan.NotAttempted, ""),
	}})
	price := 0.125
	want := `REPOSITORY  IMAGES  DELETED  PROTECTED  MAX SIZE  MAX $/MONTH  NOTE
app              9        1          0    1.0 GB        $0.12  2 failed, 1 not attempted, 1 blocked, 1 changed

failed: app: image failed: KmsError
failed: app: image not attempted

deleted     1 image in 1 repository; not done: 2 failed, 1 not attempted, 1 blocked, 1 changed
protected   0 images
skipped     0 of 1 repository
saved       at most 1.0 GB and $0.12 a month (images share layers; $0.125 per GB-month)
failed      2 images failed, 1 image not attempted; next: see the messages above, and run again
`
	awstest.Equal(t, "screen", want, Screen{Price: &price}.Report(r))
}

func TestTheLastLinesAlone(t *testing.T) {
	t.Parallel()
	empty := of(config.Plan)
	empty.Account, empty.Region = "", "cn-north-1"
	awstest.Equal(t, "empty registry", `account 123456789012, cn-north-1; keep.json; 0 to remove

to delete   0 images
protected   0 images
skipped     0 of 0 repositories
saves       at most 0 B (images share layers; for dollars, set "price" in the configuration: the price in cn-north-1 is not known)
failed      nothing failed
`, Screen{Configuration: "keep.json", Account: "123456789012"}.Report(empty))
	awstest.Contains(t, Screen{}.Report(empty), "This registry has no repository, or none is selected. ")
	limited := of(config.Apply, report.Repository{Name: "big", Skipped: plan.SkipLimit})
	awstest.Contains(t, Screen{}.Report(limited), "\nfailed      nothing, but limits keep images: see above\n")
}

// A report that was shortened has its totals.
func TestAShortenedReportStillCounts(t *testing.T) {
	t.Parallel()
	r := some()
	r.Repositories = r.Repositories[1:]
	r.Omitted = &report.Omitted{Repositories: 1, Images: 6}
	got := Screen{}.Report(r)
	for _, line := range []string{
		"\nto delete   4 images\n", "\nprotected   2 images\n", "\nsaves       at most 42 GB and $4.20 a month; ",
		"\nnote: this report was shortened; it lacks 1 repository, 6 images and 0 findings, ",
	} {
		awstest.Contains(t, got, line)
	}
}

func TestTheImagesOfAScreen(t *testing.T) {
	t.Parallel()
	r := some()
	r.Repositories = r.Repositories[:1]
	r.Repositories = append(r.Repositories, report.Repository{
		Name: "big", Skipped: plan.SkipLimit, Message: "too many", Counts: report.Counts{Expired: 1},
		Images: []report.Image{{ImageDigest: "sha256:e", Verdict: evaluator.Expire}},
	})
	r.Findings = r.Findings[3:5]
	want := `REPOSITORY  IMAGE                TAGS         VERDICT  RULE  WHY                                OUTCOME
app         sha256:a10000000000  v1,v2,v3 +1  expire      1  pushed 40 days ago, limit 30 days  would be removed
app         sha256:b             -            expire      -  named?                             protected by keepNewest x
app         sha256:c             -            expire      -                                     protected by inUse x
app         sha256:d             -            expire      -                                     would be archived
app         sha256:e             -            expire      -                                     would be removed
app         sha256:f             -            untag       -                                     would lose pr-1
big         sha256:e             -            expire      -                                     kept: limit

big: skipped: limit: too many; raise it with --max-deletions 5
note: r3: no image in use found in ECS or Lambda
note: look

to delete   2 images in 1 repository; also 1 to archive, 1 to lose tags
`
	got, _, _ := strings.Cut(Screen{}.Images(r), "protected   ")
	awstest.Equal(t, "screen", want, got)
}

// On a terminal, the reason of each image is more important than an outcome that follows from it.
func TestTheReasonsOfImagesAreOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("team/service-", 5)
	digest := "sha256:" + strings.Repeat("a1", 32)
	image := func(change func(*report.Image)) report.Image {
		im := report.Image{ImageDigest: digest, ImageTags: []string{"v1"}, Verdict: evaluator.Expire, AppliedRulePriority: 1, Reason: "pushed 40d ago, limit 30d"}
		change(&im)
		return im
	}
	r := of(config.Plan, report.Repository{Name: name, Images: []report.Image{
		image(func(*report.Image) {}),
		image(func(im *report.Image) { im.ProtectedBy = keptBy(plan.ByInUse) }),
		image(func(im *report.Image) { im.Outcome = plan.Deleted }),
		image(func(im *report.Image) { im.Reason = "" }),
	}})
	want := `REPOSITORY        IMAGE         TAGS  RULE  WHY
team/se…service-  a1a1a1a1a1a1  v1       1  pushed 40 days ago, limit 30 days
team/se…service-  a1a1a1a1a1a1  v1       1  protected by inUse x; pushed 40 day…
team/se…service-  a1a1a1a1a1a1  v1       1  deleted; pushed 40 days ago, limit …
team/se…service-  a1a1a1a1a1a1  v1       1  would be removed
(not shown: VERDICT; a wider terminal or a pipe shows all)
`
	got, _, _ := strings.Cut(Screen{On: terminal.Terminal{Width: 80}}.Images(r), "\n\n")
	awstest.Equal(t, "screen", want, got+"\n")
	if wide := (Screen{On: terminal.Terminal{Width: 200}}).Images(r); !strings.Contains(wide, name) || strings.Contains(wide, "OUTCOME") {
		t.Errorf("a wide terminal shows\n%s", wide)
	}
}

// A spreadsheet must not take the tags of strangers for formulas.
func TestCSVQuotesFormulas(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 3, 4, 5, 6, time.FixedZone("", 3600))
	r := of(config.Plan,
		report.Repository{Name: "app", Policy: "=old", Images: []report.Image{{
			ImageDigest: digest, ImageTags: []string{"-v1", "v2"}, Verdict: evaluator.Expire, AppliedRulePriority: 1, Reason: "a, \"b\"",
			ProtectedBy: keptBy(plan.ByInUse), Message: "\tx\ny", ImagePushedAt: at, ImageSizeInBytes: 7,
		}}},
		report.Repository{Name: "big", Skipped: plan.SkipLimit, Images: []report.Image{{ImageDigest: "@b", Verdict: evaluator.Expire, Reason: "+1"}}})
	var out strings.Builder
	awstest.NoError(t, CSV(&out, r))
	want := `account,region,repository,policy,skipped,imageDigest,imageTags,verdict,appliedRulePriority,reason,protectedBy,onExpire,untag,outcome,message,imagePushedAt,lastRecordedPullTime,imageSizeInBytes
123456789012,eu-west-1,app,'=old,,` + digest + `,'-v1 v2,expire,1,"a, ""b""",inUse x,,,,'?x?y,2026-11-01T02:04:05Z,,7
123456789012,eu-west-1,big,,limit,'@b,,expire,,'+1,,,,,,,,0
`
	awstest.Equal(t, "CSV", want, out.String())
}

// Of 300 repositories with 2,000 images each, the screen has the most important.
func TestTheScreenOfALargeRegistryFits(t *testing.T) {
	t.Parallel()
	r := large()
	for _, colour := range []bool{false, true} {
		lines := strings.Split(strings.TrimSuffix(Screen{On: terminal.Terminal{Width: 80, Colour: colour}}.Report(r), "\n"), "\n")
		if len(lines) >= 40 {
			t.Errorf("the screen has %d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
		for _, line := range lines {
			if text.Width(line) > 80 {
				t.Errorf("a line has %d columns: %s", text.Width(line), line)
			}
		}
		awstest.Contains(t, lines[1], "failed")
	}
	for i := range 9 {
		f := finding.Finding{Kind: finding.Kind(fmt.Sprint("kind", i)), Repository: "web", Message: strings.Repeat("long message ", 9)}
		r.Findings = append(r.Findings, f)
	}
	if n := strings.Count(Screen{On: terminal.Terminal{Width: 80}}.Report(r), "\n"); n >= 50 {
		t.Errorf("a screen with long messages has %d lines", n)
	}
	screen := Screen{}.Report(r)
	for _, part := range []string{
		"\nand 288 more repositories: 574,000 images, 138,000 to delete, 28,700 protected, at most 43 TB; -o wide or -o csv lists all\n",
		"failed: describe images in team/repository-000: denied (5 repositories: team/repository-000, team/repository-001, team/repository-002 and 2 more)",
		" in 15 repositories are kept: ", "--max-deletions-per-repository 1500 --max-deletions 162500 --max-deleted-percent 75 would allow them",
		"no image in use found in ECS or Lambda (300 repositories: ",
	} {
		awstest.Contains(t, screen, part)
	}
}

func large() *report.Report {
	r := of(config.Plan)
	for i := range 300 {
		repository := report.Repository{Name: fmt.Sprintf("team/repository-%03d", i), Counts: report.Counts{Evaluated: 2000, Expired: 500, Protected: 100, ReclaimableBytes: int64(i) * 1e9}}
		for range 100 {
			repository.Images = append(repository.Images, report.Image{Verdict: evaluator.Expire, ProtectedBy: keptBy(plan.ByKeepNewest)})
		}
		switch {
		case i < 5:
			repository.Counts, repository.Images = report.Counts{}, nil
			repository.Skipped, repository.Message = plan.SkipFailed, "describe images in "+repository.Name+": denied"
		case i < 20:
			repository.Expired, repository.Skipped = 1500, plan.SkipLimit
			repository.Message = "1500 of 2000 images would be removed, maxDeletionsPerRepository is 1000"
		}
		r.Add(repository)
		r.Findings = append(r.Findings, finding.Finding{Kind: finding.NothingReferences, Repository: repository.Name, Message: "no reference to its images found in ecs, lambda"})
	}
	return r
}

func TestIncompleteNamesTheRepositories(t *testing.T) {
	t.Parallel()
	failed := func(name string) report.Repository {
		return report.Repository{Name: name, Counts: report.Counts{Failed: 1}}
	}
	for want, r := range map[string]report.Report{
		"incomplete: 1 repository failed or was skipped: app": {Repositories: []report.Repository{failed("app"), {Name: "web", Counts: report.Counts{Expired: 1}}}},
		"incomplete: 4 repositories failed or were skipped: a, b, c and 1 more": {Repositories: []report.Repository{
			failed("d"), failed("b"), {Name: "c", Skipped: plan.SkipDeadline}, {Name: "a", Counts: report.Counts{NotAttempted: 2}},
		}},
		"incomplete: 1 repository failed or was skipped: big":   {Mode: config.Apply, Repositories: []report.Repository{{Name: "big", Skipped: plan.SkipLimit}}},
		"incomplete: 1 repository failed or was skipped: index": {Findings: []finding.Finding{{Kind: finding.ManifestUnreadable, Repository: "index"}}},
		"incomplete: 2 images failed":                           {Totals: report.Totals{Counts: report.Counts{Failed: 2}}},
		"incomplete":                                            {Mode: config.Plan, Repositories: []report.Repository{{Name: "big", Skipped: plan.SkipLimit}}},
	} {
		awstest.Equal(t, "Incomplete", want, Incomplete(&r))
	}
}

func TestTheLastLineSaysWhatFailedAndWhatToDo(t *testing.T) {
	t.Parallel()
	scan := func(message string) finding.Finding {
		return finding.Finding{Kind: finding.ScanFailed, Message: "in-use scan: " + message}
	}
	skipped := func(code plan.SkipCode) report.Repository { return report.Repository{Skipped: code} }
	for want, r := range map[string]*report.Report{
		"4 repositories skipped because 1 in-use source failed (ECS); next: see the messages above, and run again": {
			Repositories: slices.Repeat([]report.Repository{skipped(plan.SkipScanFailed)}, 4), Findings: []finding.Finding{scan("ecs: list clusters: no")},
		},
		"1 repository skipped because 2 in-use sources failed (Lambda and s3://b/c); next: see the messages above, and run again": {
			Repositories: []report.Repository{skipped(plan.SkipScanFailed)}, Findings: []finding.Finding{scan("lambda: no"), scan("s3://b/c: no"), scan("s3://b/c: also no")},
		},
		"1 in-use source failed (ECS); next: see the messages above, and run again": {Findings: []finding.Finding{scan("ecs: no")}},
		"2 repositories not done before the deadline; next: give a longer --deadline, and run again": {
			Repositories: slices.Repeat([]report.Repository{skipped(plan.SkipDeadline)}, 2),
		},
		"1 image not attempted, 1 repository not done before the interruption; next: run again": {
			Repositories: []report.Repository{skipped(plan.SkipInterrupted)}, Totals: report.Totals{Counts: report.Counts{NotAttempted: 1}},
		},
		"1 image perhaps deleted; next: see with ecrclean plan which images are left": {Totals: report.Totals{Counts: report.Counts{Unknown: 1}}},
	} {
		awstest.Equal(t, "failed", want, failed(r))
	}
}

// What keeps a repository is more important than its whole name.
func TestTheNoteOfARepositoryIsNotCut(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("team/service-", 15)
	r := of(config.Plan, report.Repository{Name: name, Skipped: plan.SkipLimit, Counts: report.Counts{Evaluated: 2000, Expired: 1500, ReclaimableBytes: 3e11}})
	for _, width := range []int{60, 80, 120} {
		awstest.Contains(t, Screen{On: terminal.Terminal{Width: width}}.Report(r), "  limit: 1,500 images, 300 GB\n")
	}
}

func TestEachServiceHasATitle(t *testing.T) {
	t.Parallel()
	for _, service := range services.Table {
		if titles[service.Name] == "" {
			t.Errorf("%s has no title", service.Name)
		}
	}
	awstest.Equal(t, "elsewhere", "Bedrock AgentCore in us-east-1, s3://lists/a@b or 3 more",
		series([]string{"bedrock-agentcore@us-east-1", "s3://lists/a@b", "and 3 more"}, "or"))
}

// The failures of many accounts are few lines.
func TestAccountsThatFailedAlikeAreOneLine(t *testing.T) {
	t.Parallel()
	var repositories []report.Repository
	var findings []finding.Finding
	for i := range 12 {
		account := fmt.Sprintf("2222222222%02d", i)
		denied := fmt.Sprintf("in-use scan: ecs@%s/eu-west-1: assume role arn:aws:iam::%s:role/member: denied", account, account)
		findings = append(findings, finding.Finding{Kind: finding.ScanFailed, Message: denied})
		name := fmt.Sprint("r", i)
		repositories = append(repositories,
			report.Repository{Name: name, Skipped: plan.SkipScanFailed, Message: denied + "; its repository policy may let account " + account + " pull"},
			report.Repository{Name: "u" + name, Skipped: plan.SkipScanFailed, Message: denied + "; account " + account + " has used an image of it: task/" + name})
	}
	r := of(config.Plan, repositories...)
	r.Findings = slices.Concat(findings, []finding.Finding{
		{Kind: finding.ScanFailed, Message: "in-use scan: ecs@us-east-1: denied"},
		{Kind: finding.NothingReferences, Repository: "r0", Message: "no reference to its images found in ecs, a, b, c, d, and 595 more"},
	})
	var got []string
	for line := range strings.Lines(Screen{}.Report(r)) {
		if strings.HasPrefix(line, "failed  ") {
			awstest.Contains(t, line, "24 repositories skipped because 13 in-use sources failed (ECS in 222222222200/eu-west-1, ",
				"ECS in 222222222204/eu-west-1 and 8 more); ")
		}
		if strings.HasPrefix(line, "failed: ") || strings.HasPrefix(line, "note: ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	const short = "in-use scan: ecs@222222222200/eu-west-1 failed"
	const denied = "in-use scan: ecs@222222222200/eu-west-1: assume role arn:aws:iam::222222222200:role/member: denied"
	awstest.Equal(t, "lines", []string{
		"failed: " + denied + " (and 11 more like it; -o wide lists all)",
		"failed: in-use scan: ecs@us-east-1: denied",
		"failed: r0: " + short + "; its repository policy may let account 222222222200 pull (and 11 more like it in r0, r1, r10 and 9 more; -o wide lists all)",
		"failed: ur0: " + short + "; account 222222222200 has used an image of it: task/r0 (and 11 more like it in ur0, ur1, ur10 and 9 more; -o wide lists all)",
		"note: r0: no image in use found in ECS, a, b, c, d or 595 more",
	}, got)
}

// A repository of an account without a list fails nothing, and the screen says what to do.
func TestTheScreenSaysWhatToDoAboutUnlistedAccounts(t *testing.T) {
	t.Parallel()
	const message = `the repository policy lets AWS "*" pull, and no list has the images that they use`
	got := Screen{}.Report(of(config.Plan, report.Repository{Name: "app", Skipped: plan.SkipUnlistedAccount, Message: message}))
	for _, want := range []string{"skipped: unlistedAccount\n", "\nnote: app: " + message + "\n", "\nskipped     1 of 1 repository: unlistedAccount 1\n", "\nfailed      nothing failed\n"} {
		awstest.Contains(t, got, want)
	}
}
