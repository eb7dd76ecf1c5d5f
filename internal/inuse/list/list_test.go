package list_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// read returns the source for a list with that content.
func read(content string) list.Source {
	return list.New("refs.txt", opened(io.NopCloser(strings.NewReader(content)), time.Time{}), now, 0)
}

// opened returns an Open that returns this content and time.
func opened(content io.ReadCloser, modified time.Time) list.Open {
	return func(context.Context, string) (io.ReadCloser, time.Time, error) { return content, modified, nil }
}

func TestListReadsLines(t *testing.T) {
	t.Parallel()
	wantUses(t, read("# what the old cluster runs\r\n\n"+
		"  "+registry+"app:v1  # web\r\n"+
		"nginx:1.27\n\tdocker://"+registry+"app@"+sha("a")+"\n"+
		"#"+registry+"not:this\n"+
		registry+"app"),
		"app:v1 refs.txt:3", "nginx:1.27 refs.txt:4", "app@"+sha("a")+" refs.txt:5", "app:latest refs.txt:7")
}

func TestListReadsWhateverEndsItsLines(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r\n", "\r"} {
		wantUses(t, read("# written elsewhere"+end+registry+"app:v1 # web"+end+registry+"app:v2"+end),
			"app:v1 refs.txt:2", "app:v2 refs.txt:3")
	}
}

func TestListReadsPastAByteOrderMark(t *testing.T) {
	t.Parallel()
	wantUses(t, read("\ufeff# written elsewhere\n"+registry+"app:v1"), "app:v1 refs.txt:2")
	wantUses(t, read("\ufeff"+registry+"app:v1"), "app:v1 refs.txt:1")
	wantUses(t, read("\ufeff[\""+registry+"app:v1\"]"), "app:v1 refs.txt:1")
	wantFailure(t, read("\ufeff\n"), "the list is empty")
	wantFailure(t, read("\xff\xfen\x00g\x00i\x00n\x00x\x00"), "is in UTF-16; save it as UTF-8")
	wantFailure(t, read("\xfe\xff\x00n"), "is in UTF-16; save it as UTF-8")
}

// Of two values that are given for one member the first would be lost.
func TestListFailsOnEntriesThatSayThingsTwice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"image": "` + registry + `a:1", "image": "` + registry + `b:1"}`: `"image" is repeated`,
		`{"image": "` + registry + `a:1", "Image": "` + registry + `b:1"}`: `"Image" is repeated or not a member`,
		`{"image": "` + registry + `a:1", "by": "x", "by": "y"}`:           `"by" is repeated`,
	} {
		wantFailure(t, read(document(now, text)), want)
	}
}

func TestListReadsJSON(t *testing.T) {
	t.Parallel()
	wantUses(t, read(`  ["`+registry+`app:v1", "nginx", "`+registry+`app:v2"]`), "app:v1 refs.txt:1", "app:v2 refs.txt:1", "nginx:latest refs.txt:1")
	wantUses(t, read(`[]`))
	wantUses(t, read(document(now.Add(-36*time.Hour), `{"image": "`+registry+`app:v1", "by": "`+task+"t"+`"},
		{"image": "`+registry+`app:v2"}, {"image": "`+registry+`app:v3", "by": ""}, {"image": "nginx", "by": "pod"}`)),
		"app:v1 task/t", "app:v2 refs.txt:3", "app:v3 refs.txt:3", "nginx:latest pod")
	wantUses(t, read(document(now.Add(time.Hour), "")))
}

// document returns a document with those references.
func document(at time.Time, references string) string {
	return `{"version": 1, "account": "123456789012", "region": "eu-west-1", "time": "` + at.Format(time.RFC3339) + `",
		"references": [` + references + `]}`
}

func TestListFailsOnWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "the list is empty",
		" \n\t":                          "the list is empty",
		"# one\n" + registry + "App\n":   `line 2: image reference`,
		registry + "a:1 " + registry:     "line 1: image reference",
		"nginx\ntwo words\n":             `line 2: "two words" is not an image reference`,
		"<html>AccessDenied</html>":      `line 1: "<html>AccessDenied</html>" is not an image reference`,
		registry + "app:v1#x":            "line 1: image reference",
		strings.Repeat("?\n", 12):        `line 10: "?" is not an image reference; and 2 more`,
		`["` + registry + `App"]`:        "line 1: image reference",
		"[\"nginx\",\n 5]":               "line 2: json: cannot unmarshal number",
		`["a b", null]`:                  `line 1: "a b" is not an image reference; line 1: "" is not`,
		`["nginx"`:                       "line 1: unexpected EOF",
		`["nginx" "nginx"]`:              "line 1: expected comma",
		`[] []`:                          "line 1: there is text after the end of the list",
		`{`:                              "unexpected EOF",
		`{"version": 1,`:                 "unexpected EOF",
		`{"version"`:                     "unexpected EOF",
		`{"version": 1, 5: 6}`:           "invalid character",
		`{"version": 1}`:                 "line 1: the list has no account",
		document(now, `"nginx"`):         "line 2: an entry of references is not an object",
		document(now, `null`):            "line 2: an entry of references is not an object",
		document(now, `{"by": "x"}`):     `line 2: "" is not an image reference`,
		document(now, `{"image": null}`): `line 2: "" is not an image reference`,
		document(now, `{"image": "nginx", "by": 1}`):                            "json: cannot unmarshal number",
		document(now, `{"image": "nginx", "x": 1}`):                             `"x" is repeated or not a member of a reference`,
		document(now.Add(-36*time.Hour-time.Second), ""):                        "line 1: the list is more than 36 hours old",
		document(now.Add(time.Hour+time.Second), ""):                            "the list is from the future: its time is 2026-03-01T13:00:01Z",
		strings.Replace(document(now, ""), `"2026`, `"26`, 1):                   "line 1: time: parsing time",
		strings.Replace(document(now, ""), `"version": 1`, `"version": 2`, 1):   "line 1: the list is of version 2; only version 1",
		strings.Replace(document(now, ""), `"version": 1`, `"version": ""`, 1):  "line 1: version: json: cannot unmarshal string",
		strings.Replace(document(now, ""), `"eu-west-1"`, `{}`, 1):              "line 1: region: json: cannot unmarshal object",
		strings.Replace(document(now, ""), `"time"`, `"tim": 5, "time"`, 1):     `line 1: "tim" is repeated or not a member`,
		strings.Replace(document(now, ""), `"time"`, `"version": 1, "time"`, 1): `line 1: "version" is repeated`,
		strings.Replace(document(now, ""), `[`, `{`, 1):                         "references is not an array",
	} {
		wantFailure(t, read(text), want)
	}
}

func TestListKeepsWhatItCouldRead(t *testing.T) {
	t.Parallel()
	got, err := uses(t, read(registry+"app:v1\n?\n"))
	if err == nil || len(got) != 1 || got[0] != "app:v1 refs.txt:1" {
		t.Errorf("got uses %v and error %v, want the first line and an error", got, err)
	}
}

func TestListFailsWhenItCannotBeHad(t *testing.T) {
	t.Parallel()
	missing := func(err error) list.Source {
		return list.New("s3://bucket/key", func(context.Context, string) (io.ReadCloser, time.Time, error) { return nil, time.Time{}, err }, now, 0)
	}
	wantFailure(t, missing(fs.ErrNotExist), "file does not exist", `take "s3://bucket/key" out of protect.references`)
	refused := &smithy.GenericAPIError{Code: "AccessDenied", Message: "Access Denied"}
	wantFailure(t, missing(&smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: refused}), "; allow the action s3:GetObject")
	wantFailure(t, missing(refused), "; allow the action")
	for want, content := range map[string]io.ReadCloser{
		"broken off": io.NopCloser(iotest.ErrReader(errors.New("broken off"))),
		"not closed": unclosed{strings.NewReader("nginx")},
	} {
		wantFailure(t, list.New("l", opened(content, time.Time{}), now, 0), want)
	}
}

type unclosed struct{ io.Reader }

func (unclosed) Close() error { return errors.New("not closed") }

func TestWhatWriteWritesIsReadBack(t *testing.T) {
	t.Parallel()
	written := []inuse.Use{use("b", "<x>"), use("a", "y"), {Reference: use("b", "").Reference, By: "<x>", Source: "ecs"}, use("a", "x")}
	var b bytes.Buffer
	awstest.NoError(t, list.Write(&b, "123456789012", region, now.In(time.FixedZone("", 3600)), written))
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{read(b.String())}, now)
	if want := []inuse.Use{from(use("a", "x")), from(use("a", "y")), from(use("b", "<x>"))}; !slices.Equal(scan.Uses, want) || len(scan.Failed) > 0 {
		t.Errorf("read back %v, %v; want %v", scan.Uses, scan.Failed, want)
	}
	awstest.Equal(t, "argument of Write", use("a", "y"), written[1])
}

// A written list has only uses that another registry may need: no images of public
// registries, and no uses without a repository.
func TestWriteLeavesOutWhatIsOfNoUseElsewhere(t *testing.T) {
	t.Parallel()
	var written []inuse.Use
	for _, text := range []string{"nginx", "team/app:v1", "docker.io/library/nginx", "public.ecr.aws/x/y", "proxy.example.com/app:v1", registry + "app:v1"} {
		ref, err := reference.ParseAny(text)
		awstest.NoError(t, err)
		written = append(written, inuse.Use{Reference: ref, By: "x", Runs: true})
	}
	written = append(written, inuse.Use{By: "x", Problem: "no name"}, inuse.Use{By: "x", Reference: reference.Reference{Digest: sha("a")}})
	var b bytes.Buffer
	awstest.NoError(t, list.Write(&b, "123456789012", region, now, written))
	wantUses(t, read(b.String()), "app:v1 x", "proxy.example.com/app:v1 x")
}

// A list that leaves out such a use would let the reader delete the images.
func TestWriteKeepsUsesOfAllImages(t *testing.T) {
	t.Parallel()
	all := inuse.Use{Reference: reference.Reference{RegistryID: "123456789012", Region: region, Repository: "app"}, By: "x", AllImages: true}
	var b bytes.Buffer
	awstest.NoError(t, list.Write(&b, "123456789012", region, now, []inuse.Use{use("v1", "y"), all}))
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{read(b.String())}, now).Uses
	if len(got) != 2 || !got[0].AllImages || got[0].Reference.Repository != "app" || got[1].AllImages {
		t.Errorf("%s is read as %+v", b.String(), got)
	}
	wantFailure(t, read(document(now, `{"image": "`+registry+`app", "allImages": 1}`)), "cannot unmarshal number")
	wantFailure(t, read(document(now, `{"image": "`+registry+`app", "allImages": true, "allImages": false}`)), `"allImages" is repeated`)
}

func ExampleWrite() {
	var b strings.Builder
	if err := list.Write(&b, "123456789012", "eu-west-1", now, []inuse.Use{use("v2", task+"1"), use("v1", task+"2")}); err != nil {
		fmt.Println(err)
	}
	if err := list.Write(&b, "123456789012", "eu-west-1", now, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b.String())
	// Output:
	// {"version":1,"account":"123456789012","region":"eu-west-1","time":"2026-03-01T12:00:00Z","references":[
	// {"image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1","by":"arn:aws:ecs:eu-west-1:123456789012:task/2"},
	// {"image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v2","by":"arn:aws:ecs:eu-west-1:123456789012:task/1"}
	// ]}
	// {"version":1,"account":"123456789012","region":"eu-west-1","time":"2026-03-01T12:00:00Z","references":[
	// ]}
}

func TestWriteFailsWhole(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	many := make([]inuse.Use, 1025)
	for i := range many {
		many[i] = use(fmt.Sprint(i), strings.Repeat("x", list.MaxSize/1024))
	}
	if err := list.Write(&b, "1", region, now, many); err == nil || b.Len() != 0 {
		t.Errorf("got error %v and %d bytes, want an error and none", err, b.Len())
	}
	if err := list.Write(&b, "1", region, now.AddDate(10000, 0, 0), nil); err == nil {
		t.Error("a time that JSON cannot hold is written")
	}
	if err := list.Write(full{}, "1", region, now, nil); err == nil {
		t.Error("got no error from a writer that fails")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// Whatever names an ECR registry in a list is a use, or the list has failed.
func FuzzList(f *testing.F) {
	f.Add("# comment\n", "app:v1\nnginx")
	f.Add("[\"", "app:v1\", 5]")
	f.Add(document(now, `{"by": "x", "image": "`), `app@`+sha("a")+`"}]}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + registry + after
		got, err := uses(t, read(text))
		if len(got) == 0 && err == nil && !strings.ContainsAny(text, "#{") {
			t.Errorf("%q is read as a list without references", text)
		}
	})
}

const (
	region   = inusetest.Region
	registry = inusetest.Registry
	task     = "arn:aws:ecs:eu-west-1:123456789012:task/"
)

var (
	now         = inusetest.Now
	sha         = inusetest.Digest
	uses        = inusetest.Uses
	wantUses    = inusetest.WantUses
	wantFailure = inusetest.WantFailure
)

func use(tag, by string) inuse.Use {
	return inuse.Use{Reference: reference.Reference{RegistryID: "123456789012", Region: region, Repository: "app", Tag: tag}, By: by}
}

// from returns the use as a scan returns it from the list that read returns.
func from(u inuse.Use) inuse.Use {
	u.Source, u.Account = "refs.txt", "123456789012"
	return u
}
