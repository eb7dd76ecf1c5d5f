package ecrapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// BenchmarkPage measures a page of 1,000 images from the request to the image values,
// with the SDK's signing and retries but without a network. It compares the client's
// decoder with the SDK's.
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
					if err != nil {
						b.Fatal(err)
					}
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
