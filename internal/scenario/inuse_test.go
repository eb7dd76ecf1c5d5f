package scenario_test

import (
	"errors"
	"testing"
	"time"
)

func TestInUse(t *testing.T) {
	runAll(t, []scenario{{
		name: "every host of the registry is the registry, others are not",
		registry: `
			fips   90d #fips
			dual   90d #dual
			region 90d #region
			acct   90d #acct
			public 90d #public
			china  90d #china`,
		policy: "expire any pushed>30",
		uses: `
			a ` + account + `.dkr.ecr-fips.eu-west-1.amazonaws.com/app:fips
			b ` + account + `.dkr-ecr.eu-west-1.on.aws/app:dual
			c ` + account + `.dkr.ecr.eu-central-1.amazonaws.com/app:region
			d 210987654321.dkr.ecr.eu-west-1.amazonaws.com/app:acct
			e ` + account + `.dkr.ecr.cn-north-1.amazonaws.com.cn/app:china`,
		want: `
			fips: expire, inUse a
			dual: expire, inUse b
			region: expire, deleted
			acct: expire, deleted
			public: expire, deleted
			china: expire, deleted`,
	}, {
		name: "a digest that still runs after its tag moved",
		registry: `
			runs  90d
			next  40d #live
			other 90d #v1`,
		policy: "expire any pushed>30",
		uses:   "task/1 app:live@runs",
		want: `
			runs: expire, inUse task/1
			next: expire, deleted
			other: expire, deleted`,
	}, {
		name: "the children of an index in use, down to the last",
		registry: `
			leaf 93d
			sub  92d >leaf
			top  90d >sub #v1`,
		policy: "expire any pushed>30",
		uses:   "task/1 app:v1",
		want: `
			top: expire, inUse task/1
			sub: expire, child top
			leaf: expire, child sub`,
	}, {
		name: "the indexes of a child in use, up to the first, and what they list",
		registry: `
			leaf    93d
			sibling 93d
			sub     92d >leaf,sibling
			top     90d >sub #v1
			cousin  93d
			beside  90d >cousin,leaf #v2
			dead    90d #v0`,
		policy: "expire any pushed>30",
		uses:   "task/1 app@leaf",
		want: `
			leaf: expire, inUse task/1
			sub: expire, inUse task/1
			top: expire, inUse task/1
			sibling: expire, child sub
			beside: expire, inUse task/1
			cousin: expire, child beside
			dead: expire, deleted`,
	}, {
		name: "an index above an image in use, though a tag calls it the subject",
		registry: `
			leaf  95d #att:index
			index 90d >leaf #v1
			dead  90d #v0`,
		policy: "expire v* pushed>30",
		uses:   "task/1 app@leaf",
		want:   "index: expire, inUse task/1\ndead: expire, deleted",
	}, {
		name: "an index above one that cannot be read: an image in use may be below",
		registry: `
			leaf   95d
			broken 92d >leaf unreadable
			top    90d >broken #v1
			dead   90d #v0`,
		policy:   "expire v* pushed>30",
		uses:     "task/1 app@leaf",
		want:     "top: expire, unreadableIndex broken\ndead: expire, unreadableIndex broken",
		findings: "app: manifestIsNoIndex: the manifests of 1 index could not be read, such as broken: ManifestIsNoIndex; …",
	}, {
		name: "the referrers of an image in use, but not the subject of one",
		registry: `
			used 90d #v1
			sbom 89d ^used
			sig  88d ^sbom
			app  90d
			tool 80d ^app #tool`,
		policy: "expire any pushed>30",
		uses:   "task/1 app:v1\ntask/2 app:tool",
		want: `
			used: expire, inUse task/1
			sbom: expire, subject used
			sig: expire, subject sbom
			tool: expire, inUse task/2
			app: expire, deleted`,
	}, {
		name: "archiving is vetoed like deleting",
		registry: `
			used   90d #v1
			unused 90d`,
		policy: "archive any pushed>30",
		uses:   "task/1 app:v1",
		want:   "used: transition, inUse task/1\nunused: transition, archived",
	}, {
		name: "a reference to what is not listed is a finding",
		registry: `
			used   90d #v1
			unused 90d`,
		policy: "expire any pushed>30",
		uses:   "task/1 app:v1\ntask/2 app:lost\ntask/3 app:v1@lost",
		want:   "used: expire, inUse task/1, inUse task/3\nunused: expire, deleted",
		findings: `
			app: unlistedReference: task/2 refers to ` + host + `/app:lost, which is not in the repository
			app: unlistedReference: task/3 refers to ` + host + `/app:v1@` + digestOf("lost") + `, which is not in the repository; the images with the tag v1 are kept instead`,
	}, {
		name: "a repository that nothing references is a finding",
		registry: `
			used 90d #v1
			repository web
			page 90d
			repository quiet
			new  1d`,
		policy:   "expire any pushed>30",
		uses:     "task/1 app:v1",
		want:     "used: expire, inUse task/1\npage: expire, deleted",
		findings: "web: nothingReferences: no reference to its images found in ecs",
	}, {
		name: "an attached policy that marks an image in use is a finding",
		registry: `
			repository app expire any pushed>30
			used   90d #v1
			unused 90d`,
		policy:   "attached",
		uses:     "task/1 app:v1",
		want:     "used: expire, inUse task/1\nunused: expire, deleted",
		findings: "app: attachedPolicyMarksInUse: ECR itself will expire used, which is in use by task/1",
	}, {
		name: "what belongs to an index in use is in use, also for the attached policy",
		registry: `
			repository app expire untagged pushed>30
			arm   90d
			index 90d >arm #v1`,
		policy:   "attached",
		uses:     "task/1 app:v1",
		want:     "arm: expire, child index",
		findings: "app: attachedPolicyMarksInUse: ECR itself will expire arm, which is a child of index, in use by task/1",
	}, {
		name: "an attached policy beside one of the configuration marks what is in use",
		registry: `
			repository app expire any pushed>30
			used   90d #v1
			unused 90d`,
		policy:   "expire any pushed>365",
		uses:     "task/1 app:v1",
		findings: "app: attachedPolicyMarksInUse: ECR itself will expire used, which is in use by task/1",
	}, {
		name: "what was pulled after the question may be in use by whom nobody knows",
		registry: `
			arm   90d
			index 90d >arm #v1
			other 90d #v2`,
		policy: "expire any pushed>30",
		uses:   "task/1 web:v1",
		before: func(_ testing.TB, f *fixture) {
			f.server.Put("app", image{name: "arm", age: 90 * day, pulled: -time.Second}.detail(noon))
		},
		want: `
			arm: expire, inUse a pull since the in-use scan began
			index: expire, inUse a pull since the in-use scan began
			other: expire, deleted`,
		findings: "app: nothingReferences: no reference to its images found in ecs",
	}, {
		name: "a scan that fails is said, also where nothing is marked",
		registry: `
			used   90d #v1`,
		policy:   "expire any pushed>365",
		uses:     "task/1 app:v1",
		before:   func(_ testing.TB, f *fixture) { f.source("ecs").err = errDown },
		findings: ": inUseScanFailed: in-use scan: ecs: the service is down",
	}, {
		name: "a repository that others may pull from, where no list says what they use, is a finding",
		registry: `
			used   90d #v1
			unused 90d`,
		policy: "expire any pushed>30",
		uses:   "task/1 app:v1",
		before: func(_ testing.TB, f *fixture) {
			f.server.SetRepositoryPolicy("app", `{"Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}}]}`)
		},
		want:     "used: expire, inUse task/1\nunused: expire, deleted",
		findings: "app: sharedRepository: its policy lets arn:aws:iam::210987654321:root pull, and the images that they use are not known; add their accounts to protect.accounts, or a list of these images to protect.references",
	}, {
		name: "no in-use source is queried",
		registry: `
			used 90d #v1`,
		policy:  "expire any pushed>30",
		uses:    "task/1 app:v1",
		before:  func(_ testing.TB, f *fixture) { f.registry.Sources = nil },
		want:    "used: expire",
		skipped: "app: in-use scan: in-use scan: no source was queried",
	}, {
		name: "a use of one repository protects nothing in another",
		registry: `
			image 90d #v1
			repository web
			image 90d #v1`,
		policy:   "expire any pushed>30",
		uses:     "task/1 app@image",
		want:     "image: expire, inUse task/1\nimage: expire, deleted",
		findings: "web: nothingReferences: no reference to its images found in ecs",
	}, {
		name: "references from elsewhere come as lists, and a list can fail",
		registry: `
			here  90d #v1
			there 90d #v2
			repository web
			old   90d #v1`,
		policy:  "expire any pushed>30",
		uses:    "task/1 app:v1",
		protect: `"references": ["list"]`,
		before: func(t testing.TB, f *fixture) {
			f.source("list").answer(t, "list:1 app:v2")
			f.source("list").err = errors.New("line 2: no reference")
		},
		want: "here: expire\nthere: expire\nold: expire",
		skipped: `
			app: in-use scan: in-use scan: list: line 2: no reference
			web: in-use scan: in-use scan: list: line 2: no reference`,
		findings: ": inUseScanFailed: in-use scan: list: line 2: no reference",
	}})
}
