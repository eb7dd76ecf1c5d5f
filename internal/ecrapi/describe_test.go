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
	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

func TestImagesAreThoseThatTheSDKReads(t *testing.T) {
	t.Parallel()
	at := api(answer(usualPage(1000)))
	want, err := collect(t, each(ecrapi.New(plain{at}).Images(t.Context(), "app")))
	if err != nil || len(want) != 1000 {
		t.Fatalf("the SDK reads %d images, %v", len(want), err)
	}
	got, err := collect(t, each(ecrapi.New(at).Images(t.Context(), "app")))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Images: %v, mismatch (-SDK +ours):\n%s", err, diff)
	}
}

// Half a page might lack the images that keep others in a count.
func TestABrokenPageIsNoListing(t *testing.T) {
	t.Parallel()
	whole := usualPage(3)
	for name, text := range map[string]string{"cut": whole[:len(whole)-5], "empty": "", "twice": whole + whole, "wrong type": strings.Replace(whole, `"registryId":"`, `"registryId":5,"x":"`, 1)} {
		list, err := collect(t, each(ecrapi.New(api(answer(text))).Images(t.Context(), "app")))
		if _, ok := errors.AsType[*smithy.DeserializationError](err); !ok || len(list) > 0 {
			t.Errorf("%s: %d images, %v; want a DeserializationError only", name, len(list), err)
		}
		wantError(t, err, "describe images in app: ")
		wantError(t, err, "of the page: want ")
	}
}

func TestAPageWithoutEndIsAnError(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{-1, 1 << 40} {
		endless := wire(func() (io.Reader, int64) { return spaces{}, length })
		_, err := collect(t, each(ecrapi.New(api(endless)).Images(t.Context(), "app")))
		wantError(t, err, "the page has more than 32 MiB")
	}
}

// spaces is white space without end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// An answer that breaks off is tried again as often as for a call whose answers
// the SDK reads.
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
		if err := list(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v, want an unexpected end", err)
		}
	}
	if n := calls.Snapshot(); n["DescribeImages"] != n["DescribeRepositories"] {
		t.Errorf("calls %v, want as many of the one as of the other", n)
	}
}

// Listings share memory one after the other, never at the same time.
func TestListingsAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for i := range 8 {
		client := ecrapi.New(api(answer(strings.ReplaceAll(usualPage(50), "build", fmt.Sprint("build-", i)))))
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
