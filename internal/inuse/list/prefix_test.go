package list_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
)

const (
	location = "s3://bucket/lists/"
	b, c     = "222222222222", "333333333333"
	ireland  = b + "/eu-west-1"
)

var listOf = awstest.ListOf

// below returns the result of a scan of the lists below the prefix, over HTTP. The keys of
// the contents are below the prefix.
func below(t *testing.T, store *awstest.S3, contents map[string]string, expected ...string) inuse.Scan {
	t.Helper()
	if store.Objects == nil {
		store.Objects = map[string]string{}
	}
	for key, content := range contents {
		store.Objects["bucket/lists/"+key] = content
	}
	p := prefixIn(inusetest.Config(t, store))
	p.Expected, p.Own = expected, expected
	return inuse.Scope{}.Run(t.Context(), p.Sources(), now)
}

func prefixIn(cfg aws.Config) list.Prefix {
	return list.Prefix{
		Location: location, Now: now,
		List: func(ctx context.Context, location string) ([]awsclient.Object, error) {
			return awsclient.ListObjects(ctx, cfg, location, awstest.Clock)
		},
		Open: func(ctx context.Context, location string) (io.ReadCloser, time.Time, error) {
			return awsclient.OpenObject(ctx, cfg, location, awstest.Clock)
		},
	}
}

// story returns the uses of a scan as "account tag source", and its failures.
func story(scan inuse.Scan) (uses, failed []string) {
	for _, use := range scan.Uses {
		uses = append(uses, use.Account+" "+use.Reference.Tag+" "+strings.TrimPrefix(use.Source, location))
	}
	for _, f := range scan.Failed {
		failed = append(failed, f.Account+" "+strings.ReplaceAll(f.String(), location, "~"))
	}
	return uses, failed
}

func wantStory(t *testing.T, scan inuse.Scan, uses, failed []string) {
	t.Helper()
	gotUses, gotFailed := story(scan)
	awstest.Equal(t, "uses", uses, gotUses)
	awstest.Equal(t, "failures", failed, gotFailed)
}

func TestAnExpectedPlaceHasItsLists(t *testing.T) {
	t.Parallel()
	store := &awstest.S3{}
	scan := below(t, store, map[string]string{
		"":                               "",
		b + "/":                          "",
		b + "/eu-west-1/":                "",
		b + "/eu-west-1":                 listOf(b, "eu-west-1", 0, registry+"app:v1"),
		b + "/eu-west-1.json":            listOf(b, "eu-west-1", time.Hour, registry+"app:v2"),
		b + "/eu-west-1/team a/k8s.json": listOf(b, "eu-west-1", 36*time.Hour, registry+"app:v3"),
		b + "/us-east-1.json":            listOf(b, "us-east-1", 0),
	}, ireland, b+"/us-east-1")
	wantStory(t, scan, []string{b + " v1 " + ireland, b + " v2 " + ireland, b + " v3 " + ireland}, nil)
	awstest.Equal(t, "counts", map[string]int{location: 0, location + ireland: 3, location + b + "/us-east-1": 0}, scan.Counts)
	awstest.Equal(t, "listings", 1, store.Calls["LIST"])
}

// What such a list names is in use even so.
func TestAnExpectedPlaceWithoutAGoodListFails(t *testing.T) {
	t.Parallel()
	const key = ireland + ".json"
	image := registry + "app:v1"
	use := []string{b + " v1 " + ireland}
	for name, test := range map[string]struct {
		content, want string
		uses          []string
	}{
		"of account C under the key of B": {
			listOf(c, "eu-west-1", 0, image), `the list is of account "333333333333" and Region "eu-west-1", but its key is for 222222222222/eu-west-1; ` +
				"delete it, and correct the key in the account that wrote it", use,
		},
		"of another Region": {listOf(b, "us-east-1", 0, image), `the list is of account "222222222222" and Region "us-east-1", but`, use},
		"of yesterday":      {listOf(b, "eu-west-1", 37*time.Hour, image), "line 1: the list is more than 36 hours old; write it again", use},
		"of tomorrow":       {listOf(b, "eu-west-1", -2*time.Hour, image), "line 1: the list is from the future", use},
		"plain":             {image + "\n", "the list does not say its account and Region; write it with ecrclean references or with", use},
		"an array":          {`["` + image + `"]`, "the list does not say its account and Region", use},
		"of kubectl": {
			`{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"containers": [{"image": "` + image + `"}]}}`,
			"the list does not say its account and Region", use,
		},
		"cut off":      {strings.TrimSuffix(listOf(b, "eu-west-1", 0, image), "]}"), "line 1: unexpected EOF", use},
		"empty":        {"", "the list is empty", nil},
		"without time": {`{"version": 1, "account": "` + b + `", "region": "eu-west-1", "references": [{"image": "` + image + `"}]}`, "line 1: the list has no time", use},
	} {
		scan := below(t, &awstest.S3{}, map[string]string{key: test.content, ireland: listOf(b, "eu-west-1", 0)}, ireland)
		uses, failed := story(scan)
		awstest.Equal(t, name+": uses", test.uses, uses)
		if len(failed) != 1 || !strings.HasPrefix(failed[0], b+" ~"+ireland+": ~"+key+": "+test.want) {
			t.Errorf("%s: failures %q, want %q", name, failed, test.want)
		}
	}
}

func TestAnExpectedPlaceWithoutAListFails(t *testing.T) {
	t.Parallel()
	const advice = "there is no list; in account 222222222222, run the function in mode references, or ecrclean references --region eu-west-1 " +
		`--out ~; or take "222222222222/eu-west-1" out of protect.expect`
	for _, contents := range []map[string]string{nil, {ireland + "/": ""}, {b + "/us-east-1.json": listOf(b, "us-east-1", 0)}} {
		wantStory(t, below(t, &awstest.S3{}, contents, ireland), nil, []string{b + " ~" + ireland + ": " + advice})
	}
}

// The maximum age is that of the configuration.
func TestTheAgeOfListsBelowAPrefix(t *testing.T) {
	t.Parallel()
	cfg := inusetest.Config(t, &awstest.S3{Objects: map[string]string{"bucket/lists/" + ireland: listOf(b, "eu-west-1", 37*time.Hour)}})
	for maxAge, want := range map[time.Duration]int{0: 1, 36 * time.Hour: 1, 38 * time.Hour: 0} {
		p := prefixIn(cfg)
		p.MaxAge, p.Expected, p.Own = maxAge, []string{ireland}, []string{ireland}
		awstest.Equal(t, fmt.Sprint("failures with the limit ", maxAge), want, len(inuse.Scope{}.Run(t.Context(), p.Sources(), now).Failed))
	}
}

// A list that nothing expects adds protection. What is wrong with it concerns only its account.
func TestAnUnexpectedPlace(t *testing.T) {
	t.Parallel()
	scan := below(t, &awstest.S3{}, map[string]string{
		ireland + ".json":                 listOf(b, "eu-west-1", 0, registry+"app:v1"),
		c + "/eu-west-1.json":             listOf(c, "eu-west-1", 0, registry+"app:v2"),
		c + "/us-east-1.json":             listOf(c, "us-east-1", 37*time.Hour, registry+"app:v3"),
		c + "/readme.txt":                 "x",
		"444444444444/eu-west-1/a/b.json": listOf(b, "eu-west-1", 0, registry+"app:v4"),
	}, ireland)
	wantStory(t, scan, []string{b + " v1 " + ireland, c + " v2 ", c + " v3 ", "444444444444 v4 "}, []string{
		c + ` ~: "~333333333333/readme.txt": not a list of an account and Region; delete it, or name it like ~222222222222/eu-west-1.json; ` +
			"~333333333333/us-east-1.json: line 1: the list is more than 36 hours old; write it again",
		`444444444444 ~: ~444444444444/eu-west-1/a/b.json: the list is of account "222222222222" and Region "eu-west-1", but its key is for ` +
			"444444444444/eu-west-1; delete it, and correct the key in the account that wrote it",
	})
}

// A part of the configuration may expect a list that another part does not.
func TestAPlaceThatOnlySomeExpectIsReadByBothSources(t *testing.T) {
	t.Parallel()
	p := prefixIn(inusetest.Config(t, &awstest.S3{Objects: map[string]string{
		"bucket/lists/" + ireland: listOf(b, "eu-west-1", 0, registry+"app:v1"),
	}}))
	p.Expected = []string{ireland}
	wantStory(t, inuse.Scope{}.Run(t.Context(), p.Sources(), now), []string{b + " v1 ", b + " v1 " + ireland}, nil)
}

// Only the account in a key may have written below its name. Whatever else the key says, it
// stands for no other account, and for all if there is none.
func TestKeysThatNameNoPlace(t *testing.T) {
	t.Parallel()
	for key, account := range map[string]string{
		"readme.txt": "", "222222222222": "", "22222222222/eu-west-1.json": "", "2222222222222/eu-west-1": "", "/222222222222/eu-west-1": "",
		"../333333333333/eu-west-1": "", "22222222222a/eu-west-1": "", "٢٢٢٢٢٢٢٢٢٢٢٢/eu-west-1": "", "a/222222222222/eu-west-1": "",
		b + "/eu-west-1/../../333333333333/eu-west-1.json": b, b + "/../333333333333/eu-west-1.json": b, b + "/./eu-west-1": b,
		b + "//eu-west-1": b, b + "/eu-west-1//a": b, b + "/eu-west-1/./a": b, b + "/EU-WEST-1.json": b, b + "/eu-west-1.JSON": b,
		b + "/eu-west-1.json/a": b, b + "/eu-west-1.json.json": b, b + "/eu-west-1.txt": b, b + "/eu-west": b, b + "/eu-west-1\n": b, b + "/eu-west-1 ": b,
		b + "/eu-west-1/": b, // not empty, so no folder
	} {
		scan := below(t, &awstest.S3{}, map[string]string{key: listOf(c, "eu-west-1", 0, registry+"app:v1")})
		_, failed := story(scan)
		if len(scan.Uses) > 0 || len(failed) != 1 || !strings.HasPrefix(failed[0], account+fmt.Sprintf(" ~: %q: not a list of an account and Region; ", "~"+key)) {
			t.Errorf("%q: uses %v, failures %q", key, scan.Uses, failed)
		}
	}
}

func TestAPrefixThatCannotBeListed(t *testing.T) {
	t.Parallel()
	scan := below(t, &awstest.S3{Denied: map[string]bool{"LIST": true}}, nil, ireland)
	wantStory(t, scan, nil, []string{
		" ~: list ~: access denied; allow the action s3:ListBucket on the bucket",
		b + " ~" + ireland + ": it was not read, because ~ was not listed",
	})
	p := prefixIn(aws.Config{})
	p.Expected, p.List = []string{ireland}, func(context.Context, string) ([]awsclient.Object, error) { panic("fault") }
	for range 2 { // whichever source lists
		sources := p.Sources()
		slices.Reverse(sources)
		awstest.Equal(t, "failures", 2, len(inuse.Scope{}.Run(t.Context(), sources, now).Failed))
	}
}

func TestAListThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	scan := below(t, &awstest.S3{Denied: map[string]bool{"GET": true}}, map[string]string{ireland: "x", c + "/eu-west-1": "x"}, ireland)
	const denied = ": read the list of references: get ~%[1]s/eu-west-1: access denied; allow the action s3:GetObject on it and check its name: " +
		"without s3:ListBucket, S3 also denies access to a missing object; if it is no longer kept, delete it"
	wantStory(t, scan, nil, []string{
		c + " ~: ~" + c + "/eu-west-1" + fmt.Sprintf(denied, c),
		b + " ~" + ireland + ": ~" + ireland + fmt.Sprintf(denied, b),
	})
}

// More places than S3 lists on a page, and more than are read at the same time.
func TestAPrefixOfManyPlaces(t *testing.T) {
	t.Parallel()
	contents, places := map[string]string{}, []string{}
	for i := range 1100 {
		account := fmt.Sprint(200_000_000_000 + i)
		contents[account+"/eu-west-1.json"] = listOf(account, "eu-west-1", 0, fmt.Sprintf("%sapp:v%d", registry, i))
		if i%2 == 0 {
			places = append(places, account+"/eu-west-1")
		}
	}
	store := &awstest.S3{}
	scan := below(t, store, contents, places...)
	awstest.Empty(t, "failures", scan.Failed)
	awstest.Equal(t, "uses", 1100, len(scan.Uses))
	awstest.Equal(t, "uses of the prefix", 550, scan.Counts[location])
	awstest.Equal(t, "pages", 2, store.Calls["LIST"])
}

// A plain entry of protect.references has no place. Its uses are those of the account in it.
func TestTheAccountInAList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		listOf(b, "eu-west-1", 0, registry+"app:v1"):            b + " v1 refs.txt",
		listOf(b, "eu-west-1", 37*time.Hour, registry+"app:v1"): b + " v1 refs.txt",
		listOf("someone", "eu-west-1", 0, registry+"app:v1"):    " v1 refs.txt",
		registry + "app:v1": " v1 refs.txt",
	} {
		uses, _ := story(inuse.Scope{}.Run(t.Context(), []inuse.Source{read(text)}, now))
		awstest.Equal(t, text, []string{want}, uses)
	}
	wantFailure(t, read(`{"version": 1, "references": [], "account": "`+b+`", "region": "eu-west-1", "time": "2026-03-01T12:00:00Z"}`),
		"line 1: account is missing or after references; write it before")
}
