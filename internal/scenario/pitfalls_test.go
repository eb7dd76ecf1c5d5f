package scenario_test

import "testing"

// The ways in which registry cleaners have lost data. None of them may happen here. Those
// that need several runs or registries have their own tests.
func TestPitfalls(t *testing.T) {
	runAll(t, []scenario{{
		name: "01 references are compared as strings",
		registry: `
			by-tag     90d #v1
			by-digest  90d
			by-both    90d #v3
			by-default 90d #latest
			unused     90d #v5`,
		policy: "expire any pushed>30",
		uses: `
			task/1 app:v1
			task/2 app@by-digest
			task/3 app:v3@by-both
			task/4 app`,
		want: `
			by-tag: expire, inUse task/1
			by-digest: expire, inUse task/2
			by-both: expire, inUse task/3
			by-default: expire, inUse task/4
			unused: expire, deleted`,
	}, {
		name: "02 untagged is taken for garbage",
		registry: `
			amd         90d
			attestation 90d
			index       90d >amd,attestation #v1
			sbom        90d ^index
			running     90d
			now-v2      1d #v2
			pushing     1h
			garbage     90d`,
		policy:  "expire untagged pushed>1",
		protect: `"pushedWithinHours": 24`,
		uses:    "task/1 app:v2@running",
		want: `
			amd: expire, child index
			attestation: expire, child index
			sbom: expire, subject index
			running: expire, inUse task/1
			garbage: expire, deleted`,
	}, {
		name: "03 signatures by tag are judged by their own age",
		registry: `
			live     2d #v1
			old-sig  90d #sig:live
			old-att  90d #att:live
			old-sbom 90d #sbom:live
			old-ref  91d ^live
			fallback 90d >old-ref #fallback:live
			dead     90d #v0`,
		policy: "expire any pushed>30",
		want: `
			old-sig: expire, subject live
			old-att: expire, subject live
			old-sbom: expire, subject live
			old-ref: expire, subject live
			fallback: expire, subject live
			dead: expire, deleted`,
	}, {
		name: "04 an image with many tags is judged tag by tag",
		registry: `
			both 90d #v1 #latest
			prod 90d #pr-7 #prod
			one  90d #v0`,
		policy:  "expire any pushed>30",
		protect: `"tagPatterns": ["latest", "prod*"]`,
		want: `
			both: expire, tagPatterns latest
			prod: expire, tagPatterns prod*
			one: expire, deleted`,
	}, {
		name: "05 a lower rule expires what a higher one keeps, and lists are ORed",
		registry: `
			newest 10d #prod-3
			middle 20d #prod-2
			oldest 90d #prod-1 #beta-1
			alpha  90d #alpha-1`,
		policy: "expire prod-*,alpha-* pushed>1; expire prod-* count>2; expire any pushed>1",
		want:   "oldest: expire, deleted\nalpha: expire, deleted",
	}, {
		name: "06 to keep as many as there are deletes all of them",
		registry: `
			a 3d
			b 2d
			c 1d`,
		policy: "expire untagged count>3",
	}, {
		name: "09 what is in use is not known, and everything goes",
		registry: `
			used   90d #v1
			unused 90d
			repository web
			other  90d #v1`,
		policy: "expire any pushed>30",
		uses:   "task/1 app:v1",
		before: func(_ testing.TB, f *fixture) { f.source("ecs").err = errDown },
		want:   "used: expire\nunused: expire\nother: expire",
		skipped: `
			app: in-use scan: in-use scan: ecs: the service is down
			web: in-use scan: in-use scan: ecs: the service is down`,
		findings: ": inUseScanFailed: in-use scan: ecs: the service is down",
	}, {
		name: "11 children go before their index, are refused and stay",
		registry: `
			arm  91d
			amd  91d
			dead 90d >amd,arm #v1`,
		policy: "expire any pushed>30",
		want: `
			dead: expire, deleted
			amd: expire, deleted
			arm: expire, deleted`,
	}, {
		name: "12 failures in an answer are not looked at",
		registry: `
			refused 90d
			guarded 90d
			gone    90d
			fine    90d`,
		policy: "expire any pushed>30",
		before: func(_ testing.TB, f *fixture) {
			f.server.RefuseImage(digestOf("refused"), "KmsError")
			f.server.RefuseImage(digestOf("guarded"), "ImageReferencedByManifestList")
		},
		meanwhile: func(_ testing.TB, f *fixture) { f.server.Remove("app", digestOf("gone")) },
		want: `
			refused: expire, failed: KmsError: Requested image refused
			guarded: expire, blocked: ImageReferencedByManifestList: Requested image refused
			gone: expire, gone: not there any more
			fine: expire, deleted`,
	}, {
		name: "14 equal and replaced times are told apart by chance",
		registry: `
			a        10d #v1
			b        10d #v2
			restored 90d #v3 archived:60d restored:1d
			last     90d #v4`,
		policy: "expire any count>2",
		want: `
			` + smaller("a", "b") + `: expire, deleted
			last: expire, deleted`,
	}, {
		name: "15 children that a kept and a dead index share, and indexes of all types",
		registry: `
			shared   95d docker
			own      95d docker
			oci      95d
			live     20d >shared #v2 docker
			dead     90d >shared,own #v1 docker
			dead-oci 90d >oci #v0`,
		policy: "expire v* pushed>30",
		want: `
			dead: expire, deleted
			own: follow dead, deleted
			dead-oci: expire, deleted
			oci: follow dead-oci, deleted`,
	}, {
		name: "16 a push or a tag between plan and delete is overwritten",
		registry: `
			retagged 90d #v1
			tagged   90d
			pulled   90d
			restored 500d archived:400d
			same     90d`,
		policy: "expire any pushed>30; expire archived transitioned>365",
		meanwhile: func(_ testing.TB, f *fixture) {
			f.server.Put("app", image{name: "new", tags: []string{"v1"}}.detail(noon))
			f.server.Tag("app", digestOf("tagged"), "v2")
			f.server.Put("app", image{name: "pulled", age: 90 * day, pulled: 1}.detail(noon))
			f.server.Put("app", image{name: "restored", age: 500 * day, archived: 400 * day, restored: 1}.detail(noon))
		},
		want: `
			retagged: expire, changed: imageTags changed since the plan
			tagged: expire, changed: imageTags changed since the plan
			pulled: expire, changed: lastRecordedPullTime changed since the plan
			restored: expire, changed: imageStatus changed since the plan
			same: expire, deleted`,
	}})
}

// smaller returns the name whose digest is the smaller.
func smaller(a, b string) string {
	if digestOf(a) < digestOf(b) {
		return a
	}
	return b
}
