package scenario_test

import "testing"

func TestWhatBelongsTogether(t *testing.T) {
	runAll(t, []scenario{{
		name: "referrers of a kept image are kept, however old",
		registry: `
			live     2d #v1
			by-oci   90d ^live
			by-sig   90d #sig:live
			by-att   90d #att:live
			by-sbom  90d #sbom:live
			fallback 90d >by-oci #fallback:live
			of-sbom  90d ^by-sbom`,
		policy: "expire any pushed>30",
		want: `
			by-oci: expire, subject live
			by-sig: expire, subject live
			by-att: expire, subject live
			by-sbom: expire, subject live
			fallback: expire, subject live
			of-sbom: expire, subject by-sbom`,
	}, {
		name: "referrers go along with their subject, whichever way they name it",
		registry: `
			dead     90d #v1
			by-oci   80d ^dead
			by-sig   80d #sig:dead
			by-att   80d #att:dead
			by-sbom  80d #sbom:dead
			fallback 80d >by-oci #fallback:dead
			of-sbom  80d ^by-sbom
			other    80d #v2`,
		policy: "expire v1 pushed>30",
		want: `
			dead: expire, deleted
			by-oci: follow dead, deleted
			by-sig: follow dead, deleted
			by-att: follow dead, deleted
			by-sbom: follow dead, deleted
			fallback: follow dead, deleted
			of-sbom: follow dead, deleted`,
	}, {
		name: "a referrer has many subjects by tag, and needs only one",
		registry: `
			dead 90d #v1
			live 90d #v2
			sig  80d #sig:dead #sig:live`,
		policy: "expire v1 pushed>30",
		want:   "dead: expire, deleted",
	}, {
		name: "orphans are kept",
		registry: `
			image  2d #v1
			oci    90d ^lost
			cosign 90d #sig:lost
			young  2d ^lost`,
		policy: "expire any pushed>30",
		want:   "oci: expire, orphan lost\ncosign: expire, orphan lost",
	}, {
		name: "orphans go if the policy marks them and they may",
		registry: `
			image  2d #v1
			oci    90d ^lost
			cosign 90d #sig:lost
			young  2d ^lost`,
		policy: "expire any pushed>30",
		more:   `"orphans": "delete"`,
		want:   "oci: expire, deleted\ncosign: expire, deleted",
	}, {
		name: "an orphan that the policy does not mark goes with nobody",
		registry: `
			orphan 95d ^lost
			own    95d
			dead   90d >orphan,own #v1
			live   2d #v2`,
		policy: "expire v1 pushed>30",
		more:   `"orphans": "delete"`,
		want:   "dead: expire, deleted\nown: follow dead, deleted",
	}, {
		name: "a repository that holds nothing but referrers has no orphans",
		registry: `
			oci    90d ^elsewhere
			cosign 90d #sig:elsewhere`,
		policy: "expire any pushed>30",
		more:   `"orphans": "delete"`,
		want:   "oci: expire, orphan elsewhere\ncosign: expire, orphan elsewhere",
	}, {
		name: "an archived subject exists",
		registry: `
			image   2d #v1
			subject 200d archived:10d
			sig     90d ^subject`,
		policy: "expire any pushed>30",
		more:   `"orphans": "delete"`,
		want:   "sig: expire, subject subject",
	}, {
		name: "children of a kept index are kept",
		registry: `
			amd   90d
			arm   90d #arm
			index 2d >amd,arm #v1
			leaf  90d
			sub   90d >leaf
			top   2d >sub #v2`,
		policy: "expire any pushed>30",
		want: `
			amd: expire, child index
			arm: expire, child index
			leaf: expire, child sub
			sub: expire, child top`,
	}, {
		name: "what follows must be untagged, unprotected and lead from removed roots only",
		registry: `
			plain     95d
			tagged    95d #v0-amd
			shared    95d
			protected 95d pulled:2d
			used      95d
			referred  95d
			dead      90d >plain,tagged,shared,protected,referred #v1
			live      2d >shared #v2
			note      80d ^plain #note
			sig       80d #sig:plain`,
		policy:  "expire v1 pushed>30",
		protect: `"pulledWithinDays": 7`,
		uses:    "task/1 app@used",
		want: `
			dead: expire, deleted
			plain: follow dead, deleted
			referred: follow dead, deleted
			sig: follow dead, deleted`,
	}, {
		name: "an image that is being restored never goes along",
		registry: `
			restoring 95d activating
			plain     95d
			dead      90d >restoring,plain #v1
			other     2d #v2`,
		policy: "expire v1 pushed>30",
		want:   "dead: expire, deleted\nplain: follow dead, deleted",
	}, {
		name: "an index that is archived takes nothing along, its marked children do",
		registry: `
			plain  95d
			marked 95d #old-amd
			index  90d >plain,marked #old`,
		policy: "archive old* pushed>30",
		want:   "index: transition, archived\nmarked: transition, archived",
	}, {
		name: "a child is not archived under an index that stays",
		registry: `
			child 95d #old
			index 90d >child #v1`,
		policy: "archive old pushed>30",
		want:   "child: transition, child index",
	}, {
		name: "a dead index, its own child and an orphan go in one run, the shared child does not",
		registry: `
			own    95d
			shared 95d
			dead   90d >own,shared #v1
			live   2d >shared #v2
			orphan 90d #sig:lost`,
		policy: "expire any pushed>30",
		more:   `"orphans": "delete"`,
		want: `
			dead: expire, deleted
			own: expire, deleted
			shared: expire, child live
			orphan: expire, deleted`,
	}})
}

func TestReadingManifests(t *testing.T) {
	runAll(t, []scenario{{
		name: "all four media types are read",
		registry: `
			docker-child 95d docker
			oci-child    95d
			one          2d >docker-child docker #v1
			two          2d >oci-child #v2`,
		policy: "expire untagged pushed>30",
		want:   "docker-child: expire, child one\noci-child: expire, child two",
	}, {
		name: "an index that cannot be read is kept with all that may be its children",
		registry: `
			older  95d
			same   90d
			newer  80d
			broken 90d >older unreadable #old`,
		policy: "expire any pushed>30",
		want: `
			broken: expire, unreadableIndex broken
			older: expire, unreadableIndex broken
			same: expire, unreadableIndex broken
			newer: expire, unreadableIndex broken`,
		findings: "app: manifestIsNoIndex: the manifests of 1 index could not be read, such as broken: ManifestIsNoIndex; …",
	}, {
		name: "nothing that may be its child goes along with another",
		registry: `
			child  95d
			dead   94d >child #old
			broken 90d unreadable #v1`,
		policy:   "expire old pushed>30",
		want:     "dead: expire, unreadableIndex broken",
		findings: "app: manifestIsNoIndex: the manifests of 1 index could not be read, such as broken: ManifestIsNoIndex; …",
	}, {
		name: "an archived index cannot be read: what may be its child is not deleted",
		registry: `
			child    95d
			archived 90d >child archived:85d
			newer    80d`,
		policy: "expire untagged pushed>30",
		want:   "child: expire, unreadableIndex archived\nnewer: expire, deleted",
	}, {
		name: "but it may be archived as well",
		registry: `
			child    95d
			archived 90d >child archived:10d
			index    2d >other #v1
			other    95d`,
		policy: "archive untagged pulled>30",
		want:   "child: transition, archived\nother: transition, child index",
	}, {
		name: "an archived index that is kept keeps what may be its child, whoever keeps it",
		registry: `
			child   95d
			subject 94d archived:10d #v1
			index   90d >child ^subject archived:10d`,
		policy: "expire untagged pushed>30",
		want:   "child: expire, unreadableIndex index",
	}, {
		name: "an archived index that is to go goes",
		registry: `
			child    500d
			archived 490d >child archived:400d
			newer    2d #v1`,
		policy: "expire untagged pushed>30; expire archived transitioned>365",
		want:   "archived: expire, deleted\nchild: expire, deleted",
	}, {
		name: "what an archived index may list waits for it",
		registry: `
			child    500d
			archived 490d >child archived:400d
			newer    2d #v1`,
		policy: "expire untagged pushed>30; expire archived transitioned>365",
		before: func(_ testing.TB, f *fixture) { f.server.RefuseImage(digestOf("archived"), "KmsError") },
		want:   "archived: expire, failed: KmsError: …\nchild: expire, blocked: it may belong to archived, which was not removed",
	}})
}
