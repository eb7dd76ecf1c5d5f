package ecrapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestImagesAreThoseThatTheSDKReads(t *testing.T) {
	t.Parallel()
	at := api(awstest.Answer(usualPage(1000)))
	want, err := collect(t, each(ecrapi.New(plain{at}).Images(t.Context(), "app")))
	if err != nil || len(want) != 1000 {
		t.Fatalf("the SDK reads %d images, %v", len(want), err)
	}
	got, err := collect(t, each(ecrapi.New(at).Images(t.Context(), "app")))
	awstest.NoError(t, err)
	awstest.Equal(t, "Images", want, got)
}

// A part of a page might lack images that count in a rule.
func TestABrokenPageIsNoListing(t *testing.T) {
	t.Parallel()
	whole := usualPage(3)
	for name, text := range map[string]string{"cut": whole[:len(whole)-5], "empty": "", "goes on": whole + whole, "wrong type": strings.Replace(whole, `"registryId":"`, `"registryId":5,"x":"`, 1)} {
		list, err := collect(t, each(ecrapi.New(api(awstest.Answer(text))).Images(t.Context(), "app")))
		if _, ok := errors.AsType[*smithy.DeserializationError](err); !ok || len(list) > 0 {
			t.Errorf("%s: %d images, %v; want a DeserializationError only", name, len(list), err)
		}
		awstest.ErrorContains(t, err, "describe images in app: ", "of the page: want ")
	}
}

func TestAPageWithoutEndIsAnError(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{-1, 1 << 40} {
		endless := awstest.AnswerFrom(func() (io.Reader, int64) { return spaces{}, length })
		_, err := collect(t, each(ecrapi.New(api(endless)).Images(t.Context(), "app")))
		awstest.ErrorContains(t, err, "the page has more than 32 MiB")
	}
}

// spaces is endless white space.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// An answer that breaks off gets as many attempts as a call that the SDK decodes.
func TestAnAnswerThatBreaksOffIsTriedAgainAsByTheSDK(t *testing.T) {
	t.Parallel()
	client, calls := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"imageDetails": [`)
	}))
	for _, list := range []func() error{
		func() error { _, err := collect(t, each(client.Images(t.Context(), "app"))); return err },
		func() error { _, err := collect(t, client.Repositories(t.Context())); return err },
	} {
		awstest.ErrorIs(t, "an unexpected end", list(), io.ErrUnexpectedEOF)
	}
	awstest.Equal(t, "attempts of both calls", calls.Snapshot()["DescribeRepositories"], calls.Snapshot()["DescribeImages"])
}

// Listings share memory one after the other, never at the same time.
func TestListingsAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for i := range 8 {
		client := ecrapi.New(api(awstest.Answer(strings.ReplaceAll(usualPage(50), "build", fmt.Sprint("build-", i)))))
		group.Go(func() {
			for range 20 {
				for outer, err := range each(client.Images(t.Context(), "app")) {
					digest, tags := outer.Digest, strings.Join(outer.Tags, " ")
					for _, err = range each(client.Images(t.Context(), "app")) {
						break
					}
					if err != nil || outer.Digest != digest || strings.Join(outer.Tags, " ") != tags || tags != "" && !strings.Contains(tags, fmt.Sprint("build-", i, "-")) {
						t.Errorf("listing %d: %+v, %v", i, outer, err)
					}
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkPage measures a page of 1,000 images from the request to the image values, with the
// SDK's signing and retries but without a network. It compares the client's decoder with the SDK's.
func BenchmarkPage(b *testing.B) {
	text := usualPage(1000)
	at := api(awstest.Answer(text))
	for _, path := range []struct {
		name   string
		client ecrapi.Client
	}{{"direct", ecrapi.New(at)}, {"sdk", ecrapi.New(plain{at})}} {
		b.Run(path.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				n := 0
				for _, err := range each(path.client.Images(b.Context(), "app")) {
					awstest.NoError(b, err)
					n++
				}
				if n != 1000 {
					b.Fatalf("%d images, want 1000", n)
				}
			}
		})
	}
}

// usualPage returns a page of n images in the format of ECR. One in five is an index, one
// in four has no tags, and one in three was never pulled.
func usualPage(n int) string {
	details := make([]string, n)
	for i := range details {
		artifact, manifest, tags, pulled := `"artifactMediaType":"application/vnd.docker.container.image.v1+json",`, "application/vnd.docker.distribution.manifest.v2+json", "", ""
		if i%5 == 0 {
			artifact, manifest = "", "application/vnd.oci.image.index.v1+json"
		}
		if i%4 != 0 {
			tags = fmt.Sprintf(`"imageTags":["v1.%d.0","build-%d"],`, i, i)
		}
		if i%3 != 0 {
			pulled = fmt.Sprintf(`"lastRecordedPullTime":1.772%06d5E9,`, i*900)
		}
		details[i] = fmt.Sprintf(`{%s"imageDigest":"%s","imageManifestMediaType":"%s","imagePushedAt":1.77%07d123E9,"imageSizeInBytes":%d,"imageStatus":"ACTIVE",`+
			`%s%s"registryId":"123456789012","repositoryName":"team/app"}`, artifact, digest(i), manifest, i*1000, 50_000_000+i*7919, tags, pulled)
	}
	return `{"imageDetails":[` + strings.Join(details, ",") + `]}`
}
