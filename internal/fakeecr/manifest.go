package fakeecr

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// Media types, and the annotation of generated manifests.
const (
	ociIndex         = "application/vnd.oci.image.index.v1+json"
	ociImage         = "application/vnd.oci.image.manifest.v1+json"
	ociConfig        = "application/vnd.oci.image.config.v1+json"
	ociLayer         = "application/vnd.oci.image.layer.v1.tar+gzip"
	dockerIndex      = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerImage      = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig     = "application/vnd.docker.container.image.v1+json"
	serialAnnotation = "fakeecr.serial"
)

var (
	indexTypes  = map[string]bool{ociIndex: true, dockerIndex: true}
	configTypes = map[string]string{ociImage: ociConfig, dockerImage: dockerConfig}
	childTypes  = map[string]string{dockerIndex: dockerImage}
)

func mediaTypeFor(children []string) string {
	if len(children) > 0 {
		return ociIndex
	}
	return ociImage
}

// A manifest is an image manifest or an index, of Docker or OCI.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        *descriptor       `json:"config,omitempty"`
	Layers        []descriptor      `json:"layers,omitempty"`
	Manifests     []descriptor      `json:"manifests,omitzero"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type descriptor struct {
	MediaType string    `json:"mediaType"`
	Digest    string    `json:"digest"`
	Size      int64     `json:"size"`
	Platform  *platform `json:"platform,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// readManifest sets empty fields from the manifest, unless it is unreadable.
func (rec *record) readManifest() {
	var m manifest
	if rec.Manifest == "" || json.Unmarshal([]byte(rec.Manifest), &m) != nil {
		return
	}
	setIfEmpty(&rec.ManifestMediaType, m.MediaType)
	setIfEmpty(&rec.ArtifactMediaType, m.ArtifactType)
	if m.Config != nil {
		setIfEmpty(&rec.ArtifactMediaType, m.Config.MediaType)
	}
	if m.Subject != nil {
		setIfEmpty(&rec.SubjectDigest, m.Subject.Digest)
	}
	if rec.Children == nil {
		for _, child := range m.Manifests {
			rec.Children = append(rec.Children, child.Digest)
		}
	}
}

func setIfEmpty(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// manifest returns the stored manifest, or the generated one, which is always the same.
func (rec *record) manifest() string {
	if rec.Manifest != "" {
		return rec.Manifest
	}
	seed := rec.Digest
	if rec.serial != 0 {
		seed = strconv.FormatUint(rec.serial, 10)
	}
	m := manifest{
		SchemaVersion: 2,
		MediaType:     rec.ManifestMediaType,
		Annotations:   map[string]string{serialAnnotation: seed},
	}
	if rec.SubjectDigest != "" {
		m.Subject = &descriptor{MediaType: ociImage, Digest: rec.SubjectDigest, Size: 1}
	}
	if rec.isIndex() {
		m.list(rec.Children)
	} else {
		m.fill(rec, seed)
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic("fakeecr: " + err.Error())
	}
	return string(text)
}

// list makes m an index. The first children are for amd64 and arm64. The others have no
// platform, like attestations.
func (m *manifest) list(children []string) {
	architectures := []string{"amd64", "arm64"}
	mediaType := ociImage
	if t, ok := childTypes[m.MediaType]; ok {
		mediaType = t
	}
	m.Manifests = []descriptor{}
	for i, digest := range children {
		p := &platform{Architecture: "unknown", OS: "unknown"}
		if i < len(architectures) {
			p = &platform{Architecture: architectures[i], OS: "linux"}
		}
		m.Manifests = append(m.Manifests, descriptor{mediaType, digest, 1, p})
	}
}

// fill makes m an image, or an artifact if rec has the media type of one.
func (m *manifest) fill(rec *record, seed string) {
	if rec.ArtifactMediaType != configTypes[rec.ManifestMediaType] {
		m.ArtifactType = rec.ArtifactMediaType
	}
	m.Config = &descriptor{MediaType: rec.ArtifactMediaType, Digest: digestOf("config " + seed), Size: 1}
	m.Layers = []descriptor{{MediaType: ociLayer, Digest: digestOf("layer " + seed), Size: rec.SizeInBytes}}
}
