package scenario_test

import "testing"

func TestUntag(t *testing.T) {
	runAll(t, []scenario{{
		name: "tags go and the image stays; the last one stays with it",
		registry: `
			both 90d #pr-1 #v1
			last 90d #pr-2
			two  90d #pr-3 #pr-4
			new  1d  #pr-5 #v2`,
		policy: "untag pr-* pushed>30",
		want:   "both: untag, untagged",
	}, {
		name: "the first rule that matches an image decides",
		registry: `
			both 90d #pr-1 #v1
			last 90d #pr-2
			none 90d #v2`,
		policy: "untag pr-* pushed>30; expire any pushed>30",
		want:   "both: untag, untagged\nnone: expire, deleted",
	}, {
		name: "no tag is taken from an image that is protected or in use",
		registry: `
			release 90d #pr-1 #release-1
			used    90d #pr-2 #v2
			arm     90d #pr-3 #v3-arm
			index   90d >arm #v3
			free    90d #pr-4 #v4`,
		policy:  "untag pr-* pushed>30",
		uses:    "task/1 app:v2\ntask/2 app:v3",
		protect: `"tagPatterns": ["release-*"]`,
		want: `
			release: untag, tagPatterns release-*
			used: untag, inUse task/1
			arm: untag, inUse task/2
			free: untag, untagged`,
	}, {
		name: "an index that cannot be read may be in use by what it lists, and list what is",
		registry: `
			used  90d #v1
			blind 90d unreadable #pr-1 #v2
			plain 90d #pr-2 #v3`,
		policy:   "untag pr-* pushed>30",
		uses:     "task/1 app:v1",
		want:     "blind: untag, unreadableIndex blind\nplain: untag, unreadableIndex blind",
		findings: "app: manifestIsNoIndex: the manifests of 1 index could not be read, such as blind: ManifestIsNoIndex; …",
	}, {
		name: "an index that cannot be read where nothing is in use",
		registry: `
			blind 90d unreadable #pr-1 #v2
			plain 90d #pr-2 #v3`,
		policy:   "untag pr-* pushed>30",
		want:     "blind: untag, untagged\nplain: untag, untagged",
		findings: "app: manifestIsNoIndex: the manifests of 1 index could not be read, such as blind: ManifestIsNoIndex; …",
	}, {
		name: "a referrer keeps the tag that ties it to its subject",
		registry: `
			subject 90d #v1
			sig     90d #sig:subject #keep`,
		policy: "untag *.sig pushed>30",
		want:   "sig: untag, subject subject",
	}, {
		name: "an image that has changed since the plan keeps its tags",
		registry: `
			moved 90d #pr-1 #v1
			still 90d #pr-2 #v2`,
		policy:    "untag pr-* pushed>30",
		meanwhile: func(_ testing.TB, f *fixture) { f.server.Tag("app", digestOf("moved"), "v3") },
		want:      "moved: untag, changed: imageTags changed since the plan\nstill: untag, untagged",
	}, {
		name: "untagging counts in limits",
		registry: `
			a 90d #pr-1 #v1
			b 90d #pr-2 #v2`,
		policy:  "untag pr-* pushed>30",
		more:    `"limits": {"maxDeletionsPerRepository": 1}`,
		want:    "a: untag\nb: untag",
		skipped: "app: limit: 2 of 2 images would be removed, maxDeletionsPerRepository is 1",
	}})
}

// A call removes up to 100 tags. All tags of one image are in one call where they fit. Right before
// each call its images are described again, in addition to the re-check of the batch.
func TestCallsOfUntagging(t *testing.T) {
	t.Parallel()
	f := newQuickFixture(picture{{name: "app"}})
	fill(f, "app", 0, 0, 150)
	for _, im := range f.server.Images("app") {
		for _, tag := range []string{"pr-" + im.Digest[7:20], "pr-" + im.Digest[20:33], "v-" + im.Digest[7:20]} {
			f.server.Tag("app", im.Digest, tag)
		}
	}
	report := f.apply(t, configuration("untag pr-* pushed>30", "", ""))
	calls := f.server.Calls()
	if report.Totals.TagsRemoved != 150 || calls["BatchDeleteImage"] != 3 || calls["DescribeImages"] != 1+2+3 {
		t.Errorf("%d images lost tags, calls %v", report.Totals.TagsRemoved, calls)
	}
	for _, im := range f.server.Images("app") {
		if len(im.Tags) != 1 || im.Tags[0][:2] != "v-" {
			t.Errorf("%s has the tags %v", im.Digest, im.Tags)
		}
	}
}

func TestOnExpireArchive(t *testing.T) {
	const archive = `"onExpire": "archive"`
	runAll(t, []scenario{{
		name: "what expires goes to the archive, what is archived is deleted by its rules",
		registry: `
			old    90d #v1
			new    1d  #v2
			cold   400d #v3 archived:370d
			colder 400d #v4 archived:99d`,
		policy: "expire any pushed>30; expire archived transitioned>365",
		more:   archive,
		want:   "old: expire, archived\ncold: expire, deleted",
	}, {
		name: "an index goes to the archive before its children, and nothing follows it there",
		registry: `
			arm   92d
			amd   91d #amd
			index 90d >arm,amd #v1
			sig   89d ^index`,
		policy: "expire any pushed>30",
		more:   archive,
		want:   "index: expire, archived\narm: expire, archived\namd: expire, archived\nsig: expire, archived",
	}, {
		name: "a child of an index that stays is not archived",
		registry: `
			arm   92d
			index 10d >arm #v1`,
		policy: "expire any pushed>30",
		more:   archive,
		want:   "arm: expire, child index",
	}, {
		name: "what is in use or protected is not archived, since it could not be pulled there",
		registry: `
			used 90d #v1
			kept 90d #latest
			old  90d #v2`,
		policy:  "expire any pushed>30",
		uses:    "task/1 app:v1",
		protect: `"tagPatterns": ["latest"]`,
		more:    archive,
		want:    "used: expire, inUse task/1\nkept: expire, tagPatterns latest\nold: expire, archived",
	}, {
		name: "nothing that only an expired root references is deleted with it",
		registry: `
			arm   92d
			index 90d >arm #v1`,
		policy: "expire v1 pushed>30",
		more:   archive,
		want:   "index: expire, archived",
	}})
}

func TestRetain(t *testing.T) {
	runAll(t, []scenario{{
		name: "what a rule retains is kept from later rules and follows nothing",
		registry: `
			own   91d
			dead  90d >own #dead
			other 90d`,
		policy: "expire dead pushed>30; retain untagged; expire any pushed>30",
		want:   "dead: expire, deleted",
	}, {
		name: "expired by the last pull",
		registry: `
			pulled   90d #v1 pulled:1d
			unpulled 90d #v2 pulled:60d
			never    90d #v3`,
		policy: "expire any pulled>30",
		want:   "unpulled: expire, deleted\nnever: expire, deleted",
	}})
}
