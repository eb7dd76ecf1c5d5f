//go:build integration

package integration_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// TestInUse: images in use are kept although the policy expires them, and all others are
// deleted. If a source fails, everything is kept. Each scenario runs with both programs,
// each time in its own Region.
func TestInUse(t *testing.T) {
	t.Parallel()
	server := startFaithful(t)
	server.createRole(t)
	server.put(t, "/lists", "") // the bucket
	scenarios := map[string]func(*site){
		"tasks": (*site).tasks, "services": (*site).services, "an index": (*site).index, "functions": (*site).functions,
		"lists": (*site).lists, "failed lists": (*site).failedLists, "failed sources": (*site).failedSources,
	}
	regions := regions
	for name, scenario := range scenarios {
		for program := range programs {
			region := regions[0]
			regions = regions[1:]
			awstest.Parallel(t, name+"/"+program, func(t *testing.T) {
				scenario(server.site(t, program, region))
			})
		}
	}
	region := regions[0]
	awstest.Parallel(t, "saved plan/ecrclean", func(t *testing.T) {
		server.site(t, "ecrclean", region).savedPlan()
	})
}

// everything returns a configuration that deletes images older than a day. Only the given
// members of protect keep them.
func everything(protect string, entries ...string) string {
	entries = append(entries, `{"name": "all", "policy": `+olderThan("any", 1)+`}`)
	return `{"protect": {"tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0, ` + protect + `},
	  "policies": [` + strings.Join(entries, ", ") + `]}`
}

// unused are settings without in-use sources.
const unused = `"protect": {"inUse": [], "references": []}`

// entryFor returns a policy entry with its own settings.
func entryFor(repositories, settings string) string {
	return `{"name": "` + repositories + `", "repositories": ["` + repositories + `"], ` + settings + `, "policy": ` + olderThan("any", 1) + `}`
}

// A useReport has the members of a report about images in use.
type useReport struct {
	Incomplete   bool
	Totals       counts
	InUse        map[string]int
	Findings     []struct{ Kind, Repository, Message string }
	Repositories []struct {
		Name, Skipped, Message string
		Images                 []struct {
			ImageDigest string
			ProtectedBy []struct{ Kind, By string }
		}
	}
	Calls map[string]int
}

// apply applies the configuration with a program. complete is the expected completeness of the run.
func (s *site) apply(configuration string, complete bool) useReport {
	s.Helper()
	status := 3
	if complete {
		status = 0
	}
	var text []byte
	if s.program == "ecrclean" {
		text = s.tool(s.T, status, "apply", "--yes", "--output", "json", "--config", configuration)
	} else {
		text = s.invoke(s.T, `{"mode": "apply"}`, "CLEANER_CONFIG="+configuration)
	}
	var r useReport
	if err := json.Unmarshal(text, &r); err != nil {
		s.Fatalf("no report: %v\n%s", err, text)
	}
	if r.Incomplete == complete {
		s.Errorf("incomplete is %t\n%s", r.Incomplete, text)
	}
	return r
}

// wantKept applies the configuration twice and checks that only these images are kept.
// They are written as "name: kind by, kind by".
func (s *site) wantKept(configuration string, kept ...string) useReport {
	s.Helper()
	goes := len(s.names) - len(kept)
	first := s.apply(configuration, true)
	wantTotals(s.T, "apply", first.Totals, counts{Evaluated: len(s.names), Expired: goes, Protected: len(kept), Deleted: goes})
	s.wantProtected(first, kept)
	again := s.apply(configuration, true)
	wantTotals(s.T, "second apply", again.Totals, counts{Evaluated: len(kept), Protected: len(kept)})
	if again.Calls["BatchDeleteImage"] != 0 {
		s.Error("the second apply deletes")
	}
	s.wantProtected(again, kept)
	return first
}

// wantProtected checks that the report and the registry have exactly these kept images.
func (s *site) wantProtected(r useReport, kept []string) {
	s.Helper()
	var got, left, names []string
	for _, repository := range r.Repositories {
		for _, im := range repository.Images {
			var by []string
			for _, p := range im.ProtectedBy {
				by = append(by, p.Kind+" "+p.By)
			}
			if slices.Sort(by); by != nil {
				got = append(got, s.names[im.ImageDigest]+": "+strings.Join(by, ", "))
			}
		}
		left = append(left, s.held(repository.Name)...)
	}
	for _, line := range kept {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	for _, list := range [][]string{got, left, kept, names} {
		slices.Sort(list)
	}
	if !slices.Equal(got, kept) {
		s.Errorf("the report names as protected\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(kept, "\n"))
	}
	if !slices.Equal(left, names) {
		s.Errorf("left are %v, want %v", left, names)
	}
}

// held returns the sorted names of the images in a repository.
func (s *site) held(repository string) []string {
	s.Helper()
	out, err := s.client.DescribeImages(s.Context(), &ecr.DescribeImagesInput{RepositoryName: &repository})
	awstest.NoError(s, err)
	names := []string{}
	for _, im := range out.ImageDetails {
		names = append(names, s.names[aws.ToString(im.ImageDigest)])
	}
	slices.Sort(names)
	return names
}
