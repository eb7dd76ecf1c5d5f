//go:build integration

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// asked is the protect that asks both services; two revisions of a family
// count.
const asked = `"inUse": ["ecs", "lambda"], "taskDefinitionRevisions": 2`

// tasks: a task keeps the image that it was started from, running or stopped,
// after the tag has moved on; a task definition what it would start.
func tasks(t *testing.T, s *site, program string) {
	s.create(t, "team/api", "")
	s.cluster(t, "prod")
	s.add(t, "team/api", image{name: "moved", tags: []string{"v1"}})
	web := s.define(t, "web", s.uri("team/api:v1"))
	running := s.run(t, "prod", web)
	s.move(t, "team/api", "v1", "moved", "next")

	s.add(t, "team/api", image{name: "stopped", tags: []string{"once"}})
	once := s.define(t, "once", s.uri("team/api:once"))
	stopped := s.run(t, "prod", once)
	s.stop(t, "prod", stopped)
	s.deregister(t, once)
	s.move(t, "team/api", "once", "stopped", "after") // after is what nothing starts any more

	pinned := s.define(t, "pinned", s.uri("team/api@"+s.add(t, "team/api", image{name: "pinned"})))
	both := s.define(t, "both", s.uri("team/api:decoy@"+s.add(t, "team/api", image{name: "both"})))
	s.add(t, "team/api", image{name: "decoy", tags: []string{"decoy"}})
	plain := s.define(t, "plain", s.uri("team/api"))
	s.add(t, "team/api", image{name: "latest", tags: []string{"latest"}})
	s.add(t, "team/api", image{name: "old", tags: []string{"old"}})
	s.add(t, "team/api", image{name: "untagged"})

	s.wantKept(t, program, everything(asked),
		"moved: inUse "+running, "next: inUse "+web, "stopped: inUse "+stopped,
		"pinned: inUse "+pinned, "both: inUse "+both, "latest: inUse "+plain)
}

// services: one that runs nothing keeps the image of its task definition,
// however old the revision; apart from that the newest revisions count.
func services(t *testing.T, s *site, program string) {
	s.create(t, "team/api", "")
	s.cluster(t, "prod")
	var revisions []string
	for _, tag := range []string{"r1", "r2", "r3", "r4", "r5"} {
		s.add(t, "team/api", image{name: tag, tags: []string{tag}})
		revisions = append(revisions, s.define(t, "api", s.uri("team/api:"+tag)))
	}
	s.deregister(t, revisions[4])
	idle := s.serve(t, "prod", "idle", revisions[0])
	kept := s.wantKept(t, program, everything(asked),
		"r1: inUse "+idle, "r3: inUse "+revisions[2], "r4: inUse "+revisions[3])
	if kept.InUse["ecs"] != 3 {
		t.Errorf("uses are %v, want 3 of ecs", kept.InUse)
	}
}

// indexesInUse: an index in use keeps its children, a child in use its index
// and with it the other children; signatures go the way of their subjects. A
// reference to nothing keeps nothing.
func indexesInUse(t *testing.T, s *site, program string) {
	s.create(t, "team/multi", "")
	s.cluster(t, "prod")
	children, digests := map[string][]string{}, map[string]string{}
	for _, name := range []string{"live", "half", "dead"} {
		for _, platform := range []string{"-amd64", "-arm64"} {
			children[name] = append(children[name], s.add(t, "team/multi", image{name: name + platform}))
		}
		digests[name] = s.add(t, "team/multi", image{name: name, tags: []string{name}, children: children[name]})
		s.add(t, "team/multi", image{name: name + "-signature", tags: []string{strings.Replace(digests[name], ":", "-", 1) + ".sig"}})
	}
	live := s.define(t, "live", s.uri("team/multi:live"))
	half := s.define(t, "half", s.uri("team/multi:nothing"), children["half"][0])
	liveTask, halfTask := s.run(t, "prod", live), s.run(t, "prod", half)
	kept := s.wantKept(t, program, everything(asked),
		"live: inUse "+live+", inUse "+liveTask,
		"live-amd64: child "+digests["live"], "live-arm64: child "+digests["live"], "live-signature: subject "+digests["live"],
		"half: inUse "+halfTask, "half-amd64: inUse "+halfTask,
		"half-arm64: child "+digests["half"], "half-signature: subject "+digests["half"])
	if f := kept.Findings; len(f) != 1 || f[0].Kind != "unlistedReference" || !strings.Contains(f[0].Message, half) {
		t.Errorf("findings are %+v", f)
	}
}

// functions: every version of a function keeps both the image that it was made
// of and the one that its tag means now.
func functions(t *testing.T, s *site, program string) {
	s.create(t, "team/fn", "")
	s.add(t, "team/fn", image{name: "first", tags: []string{"v1"}})
	api := s.function(t, "api", s.uri("team/fn:v1"))
	s.publish(t, "api")
	s.move(t, "team/fn", "v1", "first", "second")
	s.deploy(t, "api", s.uri("team/fn:v1"))
	s.publish(t, "api")
	_, err := s.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{
		FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: aws.String("2"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.1}},
	})
	done(t, err)
	s.add(t, "team/fn", image{name: "newest", tags: []string{"v3"}})
	s.deploy(t, "api", s.uri("team/fn:v3"))
	pinned := s.function(t, "pinned", s.uri("team/fn@"+s.add(t, "team/fn", image{name: "pinned"})))
	s.zip(t, "zipped")
	s.add(t, "team/fn", image{name: "old", tags: []string{"old"}})
	s.add(t, "team/fn", image{name: "untagged"})
	s.wantKept(t, program, everything(asked),
		"first: inUse "+api+":1", "second: inUse "+api+":1, inUse "+api+":2",
		"newest: inUse "+api+":$LATEST", "pinned: inUse "+pinned+":$LATEST")
}

// lists: files and S3 objects, written by hand and by ecrclean references,
// which may have asked in another account or Region.
func lists(t *testing.T, s *site, program string) {
	s.create(t, "team/api", "")
	s.cluster(t, "prod")
	byHand := filepath.Join(t.TempDir(), "refs.txt")
	done(t, os.WriteFile(byHand, []byte("# pulled by the other account\n\n"+s.uri("team/api:v1")+"\nnginx:1.27\n"), 0o600))
	inS3 := "s3://lists/" + s.region + "/by-hand.json"
	s.put(t, "/lists/"+s.region+"/by-hand.json", `["`+s.uri("team/api@"+s.add(t, "team/api", image{name: "by-digest"}))+`"]`)
	for _, tag := range []string{"v1", "v2", "v3", "v4"} {
		s.add(t, "team/api", image{name: tag, tags: []string{tag}})
	}
	v2 := s.run(t, "prod", s.define(t, "v2", "nginx", ""))
	_ = v2
	s.wantKept(t, program, everything(`"inUse": [], "references": ["`+byHand+`", "`+inS3+`"]`),
		"v1: inUse "+byHand+":3", "by-digest: inUse "+inS3+":1")
}
