//go:build integration

package integration_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// asked has both services as sources, and protects two revisions of a task definition family.
const asked = `"inUse": ["ecs", "lambda"], "taskDefinitionRevisions": 2`

// tasks: a running or stopped task protects the image that it was started from, also
// after its tag moved. A task definition protects the image that it would start.
func (s *site) tasks() {
	s.create(s.T, "team/api", "")
	s.cluster()
	s.add("team/api", image{name: "moved", tags: []string{"v1"}})
	web := s.define("web", s.uri("team/api:v1"))
	running := s.run(web)
	s.move("team/api", "v1", "moved", "next")

	s.add("team/api", image{name: "stopped", tags: []string{"once"}})
	once := s.define("once", s.uri("team/api:once"))
	stopped := s.run(once)
	s.stop(stopped)
	s.deregister(once)
	s.move("team/api", "once", "stopped", "after") // after is what nothing starts any more

	pinned := s.define("pinned", s.uri("team/api@"+s.add("team/api", image{name: "pinned"})))
	both := s.define("both", s.uri("team/api:decoy@"+s.add("team/api", image{name: "both"})))
	s.add("team/api", image{name: "decoy", tags: []string{"decoy"}})
	plain := s.define("plain", s.uri("team/api"))
	s.add("team/api", image{name: "latest", tags: []string{"latest"}})
	s.add("team/api", image{name: "old", tags: []string{"old"}})
	s.add("team/api", image{name: "untagged"})

	s.wantKept(everything(asked),
		"moved: inUse "+running, "next: inUse "+web, "stopped: inUse "+stopped,
		"pinned: inUse "+pinned, "both: inUse "+both, "latest: inUse "+plain)
}

// services: a service without tasks protects the image of its task definition, even if
// the revision is old. Otherwise only the newest revisions protect their images.
func (s *site) services() {
	s.create(s.T, "team/api", "")
	s.cluster()
	var revisions []string
	for _, tag := range []string{"r1", "r2", "r3", "r4", "r5"} {
		s.add("team/api", image{name: tag, tags: []string{tag}})
		revisions = append(revisions, s.define("api", s.uri("team/api:"+tag)))
	}
	s.deregister(revisions[4])
	idle := s.serve("idle", revisions[0])
	kept := s.wantKept(everything(asked),
		"r1: inUse "+idle, "r3: inUse "+revisions[2], "r4: inUse "+revisions[3])
	if kept.InUse["ecs"] != 3 {
		s.Errorf("uses are %v, want 3 of ecs", kept.InUse)
	}
}

// index: an index in use protects its children. A child in use protects its index, and so
// the other children. Signatures are kept or deleted with their subjects. A reference to
// an image that does not exist protects nothing.
func (s *site) index() {
	s.create(s.T, "team/multi", "")
	s.cluster()
	children, digests := map[string][]string{}, map[string]string{}
	for _, name := range []string{"live", "half", "dead"} {
		for _, platform := range []string{"-amd64", "-arm64"} {
			children[name] = append(children[name], s.add("team/multi", image{name: name + platform}))
		}
		digests[name] = s.add("team/multi", image{name: name, tags: []string{name}, children: children[name]})
		s.add("team/multi", image{name: name + "-signature", tags: []string{strings.Replace(digests[name], ":", "-", 1) + ".sig"}})
	}
	live := s.define("live", s.uri("team/multi:live"))
	half := s.define("half", s.uri("team/multi:nothing"), children["half"][0])
	liveTask, halfTask := s.run(live), s.run(half)
	kept := s.wantKept(everything(asked),
		"live: inUse "+live+", inUse "+liveTask,
		"live-amd64: child "+digests["live"], "live-arm64: child "+digests["live"], "live-signature: subject "+digests["live"],
		"half: inUse "+halfTask, "half-amd64: inUse "+halfTask,
		"half-arm64: child "+digests["half"], "half-signature: subject "+digests["half"])
	unlisted := 0
	for _, f := range kept.Findings {
		if f.Kind == "unlistedReference" && strings.Contains(f.Message, half) {
			unlisted++
		}
	}
	if unlisted != 1 {
		s.Errorf("findings are %+v", kept.Findings)
	}
}

// functions: every version of a function protects the image that it was made from and the
// image that its tag means now.
func (s *site) functions() {
	s.create(s.T, "team/fn", "")
	s.add("team/fn", image{name: "first", tags: []string{"v1"}})
	api := s.function("api", s.uri("team/fn:v1"))
	s.publish("api")
	s.move("team/fn", "v1", "first", "second")
	s.deploy("api", s.uri("team/fn:v1"))
	s.publish("api")
	_, err := s.lambda.CreateAlias(s.Context(), &lambda.CreateAliasInput{
		FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: aws.String("2"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.1}},
	})
	s.done(err)
	s.add("team/fn", image{name: "newest", tags: []string{"v3"}})
	s.deploy("api", s.uri("team/fn:v3"))
	pinned := s.function("pinned", s.uri("team/fn@"+s.add("team/fn", image{name: "pinned"})))
	s.zip("zipped")
	s.add("team/fn", image{name: "old", tags: []string{"old"}})
	s.add("team/fn", image{name: "untagged"})
	s.wantKept(everything(asked),
		"first: inUse "+api+":1", "second: inUse "+api+":1, inUse "+api+":2",
		"newest: inUse "+api+":$LATEST", "pinned: inUse "+pinned+":$LATEST")
}

// elsewhere has another Region for the lists of each program.
var elsewhere = map[string]string{"bootstrap": "sa-east-1", "ecrclean": "us-west-2"}

// lists: lists of references in files and S3 objects, written by hand or by ecrclean
// references in another Region or for another service.
func (s *site) lists() {
	s.create(s.T, "team/api", "")
	for _, tag := range []string{"v1", "v2", "v3", "v4"} {
		s.add("team/api", image{name: tag, tags: []string{tag}})
	}
	there := s.site(s.T, s.program, elsewhere[s.program])
	there.cluster()
	definition := there.define("api", s.uri("team/api:v2"))
	task := there.run(definition)
	s.move("team/api", "v2", "v2", "v2-next")
	function := s.function("api", s.uri("team/api:v3"))

	dir, bucket := s.TempDir(), "/lists/"+s.region
	file, object := filepath.Join(dir, "refs.txt"), "s3:/"+bucket+"/refs.json"
	s.done(os.WriteFile(file, []byte("# of the other account\n\n"+s.uri("team/api:v1")+"\nnginx:1.27\n"), 0o600))
	s.put(s.T, bucket+"/refs.json", `["`+s.uri("team/api@"+s.add("team/api", image{name: "digest"}))+`"]`)
	written, stored := filepath.Join(dir, "written.json"), "s3:/"+bucket+"/written.json"
	there.tool(s.T, 0, "references", "--config", `{"protect": {"inUse": ["ecs"]}}`, "--out", written)
	s.tool(s.T, 0, "references", "--config", `{"protect": {"inUse": ["lambda"]}}`, "--out", stored)

	s.wantKept(everything(`"inUse": [], "references": ["`+strings.Join([]string{file, object, written, stored}, `", "`)+`"]`),
		"v1: inUse "+file+":3", "digest: inUse "+object+":1",
		"v2: inUse "+task, "v2-next: inUse "+definition, "v3: inUse "+function+":$LATEST")
}
