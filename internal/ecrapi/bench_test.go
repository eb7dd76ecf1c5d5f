package ecrapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// BenchmarkPage measures a page of 1,000 images from the request to the image
// values, with the SDK's signing, retries and steps but without a network: as
// the client reads it, and as the SDK's decoder does.
func BenchmarkPage(b *testing.B) {
	text := usualPage(1000)
	at := api(answer(text))
	for _, path := range []struct {
		name   string
		client ecrapi.Client
	}{{"direct", ecrapi.New(at)}, {"sdk", ecrapi.New(plain{at})}} {
		b.Run(path.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				n := 0
				for _, err := range path.client.Images(b.Context(), "app") {
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

// usualPage is a page of n images in the words of ECR.
func usualPage(n int) string {
	details := make([]string, n)
	for i := range details {
		details[i] = fmt.Sprintf(`{"artifactMediaType":"application/vnd.docker.container.image.v1+json","imageDigest":"%s",`+
			`"imageManifestMediaType":"application/vnd.docker.distribution.manifest.v2+json","imagePushedAt":1.77%07d123E9,"imageSizeInBytes":%d,"imageStatus":"ACTIVE",`+
			`"imageTags":["v1.%d.0","build-%d"],"lastRecordedPullTime":1.772%06d5E9,"registryId":"123456789012","repositoryName":"team/app"}`,
			digest(i), i*1000, 50_000_000+i*7919, i, i, i*900)
	}
	return `{"imageDetails":[` + strings.Join(details, ",") + `]}`
}
