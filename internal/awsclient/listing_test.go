package awsclient_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// content is an object in a listing.
const content = "<Contents><Key>p/a</Key><Size>1</Size><LastModified>2026-03-01T11:00:00.000Z</LastModified></Contents>"

func TestAListingIsReadToItsLastPage(t *testing.T) {
	t.Parallel()
	store := &awstest.S3{PageSize: 2, Objects: map[string]string{
		"bucket/a b/&amp;": "", "bucket/a b/1": "1", "bucket/a b/2\x7f": "", "bucket/a b/x+y": "12", "bucket/a b/ü": "", "bucket/b": "", "other/a b/": "",
	}}
	cfg := once(awstest.Serve(t, store))
	got, err := awsclient.ListObjects(t.Context(), cfg, "s3://bucket/a b/", awstest.Clock)
	awstest.NoError(t, err)
	awstest.Equal(t, "objects", []awsclient.Object{
		{"a b/&amp;", 0, now}, {"a b/1", 1, now}, {"a b/2\x7f", 0, now}, {"a b/x+y", 2, now}, {"a b/ü", 0, now},
	}, got)
	awstest.Equal(t, "calls", 3, store.Calls["LIST"])
	got, err = awsclient.ListObjects(t.Context(), cfg, "s3://empty/", awstest.Clock)
	awstest.NoError(t, err)
	awstest.Empty(t, "objects of an empty bucket", got)
}

// An answer that could hide an object is an error.
func TestAListingThatMayLackObjectsIsAnError(t *testing.T) {
	t.Parallel()
	list := func(members string) string { return "<ListBucketResult>" + members + "</ListBucketResult>" }
	for answer, want := range map[string]string{
		"":                             "EOF",
		"<html></html>":                "expected element type <ListBucketResult>",
		list("")[:20]:                  "unexpected EOF",
		list(""):                       "it has no KeyCount or no IsTruncated; check the endpoint",
		list("<KeyCount>0</KeyCount>"): "it has no KeyCount or no IsTruncated; check the endpoint",
		list("<KeyCount>x</KeyCount>"): "invalid syntax",
		list("<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"):                                                                             "it has 0 objects and a KeyCount of 1; run again",
		list("<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>" + content):                                                                    `IsTruncated is true, and NextContinuationToken is ""`,
		list("<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>"):                             `IsTruncated is false, and NextContinuationToken is "t"`,
		list("<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" + content):                    "the listing is cut short: a token is repeated; run again",
		list("<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>" + strings.Replace(content, "<Size>1</Size>", "", 1)):                         `the object "p/a" has no Size`,
		list("<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>" + strings.Replace(content, "2026", "26", 1)):                                 "parsing time",
		list("<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>" + strings.Replace(content, "p/a", "q/a", 1)):                                 "is not below the prefix",
		list("<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>" + strings.Replace(content, "p/a", "p/%", 1)): "invalid URL escape",
	} {
		cfg := once(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })))
		got, err := awsclient.ListObjects(t.Context(), cfg, "s3://bucket/p/", awstest.Clock)
		awstest.Empty(t, "objects", got)
		awstest.ErrorContains(t, err, "list s3://bucket/p/: ", want)
	}
}

func TestListingErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		http.StatusForbidden:           "access denied; allow the action s3:ListBucket on the bucket",
		http.StatusNotFound:            "there is no such bucket; check the name",
		http.StatusMovedPermanently:    "the bucket is in another Region; use one in this Region",
		http.StatusInternalServerError: "S3 answered 500 Internal Server Error; check the location and the endpoint",
	} {
		cfg := once(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })))
		_, err := awsclient.ListObjects(t.Context(), cfg, "s3://bucket/p/", awstest.Clock)
		awstest.Equal(t, "error", "list s3://bucket/p/: "+want, fmt.Sprint(err))
	}
	_, cfg := newBucket(t)
	_, err := awsclient.ListObjects(t.Context(), cfg, "bucket", awstest.Clock)
	awstest.Equal(t, "error", "list bucket: the location must be like s3://bucket/key", fmt.Sprint(err))
}

func TestAListingOfTooManyObjectsIsAnError(t *testing.T) {
	t.Parallel()
	pages, objects := 0, strings.Repeat(content, 40_000)
	cfg := once(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pages++
		_, _ = fmt.Fprintf(w, "<ListBucketResult><KeyCount>40000</KeyCount><IsTruncated>true</IsTruncated>"+
			"<NextContinuationToken>%d</NextContinuationToken>%s</ListBucketResult>", pages, objects)
	})))
	_, err := awsclient.ListObjects(t.Context(), cfg, "s3://bucket/", awstest.Clock)
	awstest.ErrorContains(t, err, "there are more than 100000 objects; delete those that are no longer needed")
}
