package scenario_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const day = 24 * time.Hour

// A picture is a registry, drawn with one line for each image:
//
//	repository app           the images that follow are in this one
//	live  20d >amd,arm #v2   pushed 20 days ago, lists amd and arm, has the tag v2
//	sig   19d ^live          its subject is live
//	old   90d #sig:live      has the tag of cosign's signature of live
//
// and the words pulled:DURATION, archived:DURATION and restored:DURATION (so long ago), activating,
// docker (the media types) and unreadable (the manifest). Tags of subjects are sig:, att:, sbom:
// and fallback:NAME. A name without a line of its own is the digest of something that is not there.
// The first repository is app unless the picture says otherwise.
type picture []repository

type repository struct {
	name     string
	attached string // the words of a policy, or ""
	images   []image
}

type image struct {
	name       string
	age        time.Duration
	children   []string
	subject    string
	tags       []string
	pulled     time.Duration // 0 is never
	archived   time.Duration // 0 is not
	restored   time.Duration // 0 is never
	index      bool
	activating bool
	docker     bool
	unreadable bool
}

// digestOf returns the digest of the image with the name.
func digestOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// draw reads a picture.
func draw(text string) picture {
	p := picture{{name: "app"}}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "repository":
			p = append(p, repository{name: words[1], attached: strings.Join(words[2:], " ")})
		default:
			r := &p[len(p)-1]
			r.images = append(r.images, readImage(words))
		}
	}
	if len(p) > 1 && len(p[0].images) == 0 {
		return p[1:]
	}
	return p
}

func readImage(words []string) image {
	im := image{name: words[0]}
	for _, word := range words[1:] {
		im.read(word)
	}
	return im
}

func (im *image) read(word string) {
	rest := word[1:]
	name, value, _ := strings.Cut(word, ":")
	switch {
	case word[0] == '>':
		im.index = true
		im.children = strings.FieldsFunc(rest, func(c rune) bool { return c == ',' })
	case word[0] == '^':
		im.subject = rest
	case word[0] == '#':
		im.tags = append(im.tags, rest)
	case name == "pulled":
		im.pulled = duration(value)
	case name == "archived":
		im.archived = duration(value)
	case name == "restored":
		im.restored = duration(value)
	case word == "activating":
		im.activating = true
	case word == "docker":
		im.docker = true
	case word == "unreadable":
		im.index, im.unreadable = true, true
	default:
		im.age = duration(word)
	}
}

// duration parses days and the durations of Go. It panics if the text is neither.
func duration(text string) time.Duration {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			return time.Duration(n * float64(day))
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic("picture: " + err.Error())
	}
	return d
}

// String returns the picture as draw reads it.
func (p picture) String() string {
	var b strings.Builder
	for _, r := range p {
		fmt.Fprintln(&b, strings.TrimSpace("repository "+r.name+" "+r.attached))
		for _, im := range r.images {
			fmt.Fprintln(&b, "  "+im.String())
		}
	}
	return b.String()
}

func (im image) String() string {
	words := []string{im.name, im.age.String()}
	if im.index {
		words = append(words, ">"+strings.Join(im.children, ","))
	}
	if im.subject != "" {
		words = append(words, "^"+im.subject)
	}
	for _, tag := range im.tags {
		words = append(words, "#"+tag)
	}
	for _, past := range []struct {
		word string
		ago  time.Duration
	}{{"pulled", im.pulled}, {"archived", im.archived}, {"restored", im.restored}} {
		if past.ago != 0 {
			words = append(words, past.word+":"+past.ago.String())
		}
	}
	for _, mark := range []struct {
		word string
		is   bool
	}{{"activating", im.activating}, {"docker", im.docker}, {"unreadable", im.unreadable}} {
		if mark.is {
			words = append(words, mark.word)
		}
	}
	return strings.Join(words, " ")
}

// tag returns the tag for a word after #.
func tag(word string) string {
	kind, subject, ofSubject := strings.Cut(word, ":")
	if !ofSubject {
		return word
	}
	suffix := map[string]string{"sig": ".sig", "att": ".att", "sbom": ".sbom", "fallback": ""}[kind]
	return strings.Replace(digestOf(subject), ":", "-", 1) + suffix
}

// put stores the picture in a registry whose time is now.
func (p picture) put(server *fakeecr.Server, now time.Time) {
	for _, r := range p {
		server.CreateRepository(r.name)
		if r.attached != "" {
			server.SetLifecyclePolicy(r.name, policy(r.attached))
		}
		for _, im := range r.images {
			server.Put(r.name, im.detail(now))
		}
	}
}

func (im image) detail(now time.Time) fakeecr.Image {
	d := fakeecr.Image{
		Digest: digestOf(im.name), PushedAt: now.Add(-im.age), ManifestMediaType: im.mediaType(), SizeInBytes: 1,
		LastRecordedPullTime: ago(now, im.pulled), LastArchivedAt: ago(now, im.archived), LastActivatedAt: ago(now, im.restored),
	}
	for _, child := range im.children {
		d.Children = append(d.Children, digestOf(child))
	}
	for _, word := range im.tags {
		d.Tags = append(d.Tags, tag(word))
	}
	if im.subject != "" {
		d.SubjectDigest = digestOf(im.subject)
	}
	switch {
	case im.activating:
		d.Status = "ACTIVATING"
	case im.archived > 0 && im.restored == 0:
		d.Status = "ARCHIVED"
	}
	if im.unreadable {
		d.Manifest = "\x00 not JSON"
	}
	return d
}

func (im image) mediaType() string {
	switch {
	case im.index && im.docker:
		return "application/vnd.docker.distribution.manifest.list.v2+json"
	case im.index:
		return "application/vnd.oci.image.index.v1+json"
	case im.docker:
		return "application/vnd.docker.distribution.manifest.v2+json"
	}
	return "application/vnd.oci.image.manifest.v1+json"
}

func ago(now time.Time, d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return now.Add(-d)
}

// policy returns the lifecycle policy that the words mean: rules in the order
// of their priorities, separated by semicolons, such as
//
//	archive any pulled>90; expire archived transitioned>365
//	expire untagged pushed>1; expire prod*,v* count>3
//	retain prod*; untag pr-* pushed>7; expire any pulled>90
//
// Each is an action, the images (any, untagged, archived or patterns of which
// an image must match all) and, unless it retains, a count type with its number.
func policy(words string) string {
	var rules []map[string]any
	for i, text := range strings.Split(words, ";") {
		rules = append(rules, rule(i+1, strings.Fields(text)))
	}
	text, err := json.Marshal(map[string]any{"rules": rules})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func rule(priority int, words []string) map[string]any {
	if len(words) != 3 && words[0] != "retain" {
		panic(fmt.Sprintf("policy: %q is no rule", words))
	}
	selection := map[string]any{"tagStatus": words[1]}
	switch words[1] {
	case "any", "untagged":
	case "archived":
		selection = map[string]any{"tagStatus": "any", "storageClass": "archive"}
	default:
		selection = map[string]any{"tagStatus": "tagged", "tagPatternList": strings.Split(words[1], ",")}
	}
	if words[0] == "retain" {
		return map[string]any{"rulePriority": priority, "selection": selection, "action": map[string]string{"type": "retain"}}
	}
	count, number, _ := strings.Cut(words[2], ">")
	countTypes := map[string]string{
		"count": "imageCountMoreThan", "pushed": "sinceImagePushed", "pulled": "sinceImagePulled", "transitioned": "sinceImageTransitioned",
	}
	selection["countType"] = countTypes[count]
	if count != "count" {
		selection["countUnit"] = "days"
	}
	selection["countNumber"], _ = strconv.Atoi(number)
	actions := map[string]any{
		"expire": map[string]string{"type": "expire"}, "untag": map[string]string{"type": "untag"}, "archive": map[string]string{"type": "transition", "targetStorageClass": "archive"},
	}
	return map[string]any{"rulePriority": priority, "selection": selection, "action": actions[words[0]]}
}
