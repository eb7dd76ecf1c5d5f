package ecrapi_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// manifest answers every BatchGetImage with this manifest.
type manifest struct {
	ecrapi.API
	text string
}

func (m manifest) BatchGetImage(_ context.Context, in *ecr.BatchGetImageInput, _ ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error) {
	return &ecr.BatchGetImageOutput{Images: []types.Image{{ImageId: &in.ImageIds[0], ImageManifest: &m.text}}}, nil
}

// FuzzManifest: a manifest that is read lists digests, and one that is not read
// has no children; nil would say so of an empty list.
func FuzzManifest(f *testing.F) {
	f.Add(`{"manifests": []}`)
	f.Add(`{"schemaVersion": 2, "manifests": [{"digest": "sha256:a", "platform": {"os": "linux"}}, {"digest": ""}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ecrapi.New(manifest{text: text}).Children(t.Context(), "app", []string{"sha256:index"})
		if err != nil {
			t.Fatal(err)
		}
		digests, read := got.Children["sha256:index"]
		if read && (digests == nil || slices.Contains(digests, "")) || read == (len(got.Failed) == 1) {
			t.Errorf("%q lists %q, failed %v", text, digests, got.Failed)
		}
	})
}
