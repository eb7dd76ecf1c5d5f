package fakeecr

import (
	"encoding/json"
	"strconv"
	"time"
)

// An epoch is a time in ECR's encoding: seconds with a fraction.
type epoch time.Time

// MarshalJSON implements [json.Marshaler].
func (e epoch) MarshalJSON() ([]byte, error) { return appendEpoch(nil, time.Time(e)), nil }

func appendEpoch(b []byte, t time.Time) []byte {
	b = strconv.AppendInt(b, t.Unix(), 10)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}

// bytesPerDetail is more than most image details need.
const bytesPerDetail = 640

// encodeDetails encodes the answer to DescribeImages without encoding/json, because that
// would take most of the time of a benchmark.
func (s *Server) encodeDetails(r *repository, page []*record, next *string) encoded {
	b := make([]byte, 0, bytesPerDetail*(len(page)+1))
	b = append(b, `{"imageDetails":[`...)
	for i, rec := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendDetail(b, r, rec)
	}
	b = append(b, ']')
	if next != nil {
		b = appendMember(b, "nextToken", *next)
	}
	return append(b, '}')
}

// appendDetail encodes an ImageDetail without its empty members.
func (s *Server) appendDetail(b []byte, r *repository, rec *record) []byte {
	b = append(b, `{"registryId":`...)
	b = appendString(b, s.account)
	b = appendMember(b, "repositoryName", r.name)
	b = appendMember(b, "imageDigest", rec.Digest)
	b = appendTags(b, rec.Tags)
	b = append(b, `,"imageSizeInBytes":`...)
	b = strconv.AppendInt(b, rec.SizeInBytes, 10)
	b = appendTime(b, "imagePushedAt", rec.PushedAt)
	b = appendMember(b, "imageManifestMediaType", rec.ManifestMediaType)
	b = appendMember(b, "artifactMediaType", rec.ArtifactMediaType)
	b = appendTime(b, "lastRecordedPullTime", rec.LastRecordedPullTime)
	b = appendMember(b, "subjectManifestDigest", rec.SubjectDigest)
	b = appendMember(b, "imageStatus", rec.Status)
	b = appendTime(b, "lastArchivedAt", rec.LastArchivedAt)
	b = appendTime(b, "lastActivatedAt", rec.LastActivatedAt)
	return append(b, '}')
}

func appendTags(b []byte, tags []string) []byte {
	if len(tags) == 0 {
		return b
	}
	b = append(b, `,"imageTags":`...)
	for i, tag := range tags {
		separator := byte(',')
		if i == 0 {
			separator = '['
		}
		b = appendString(append(b, separator), tag)
	}
	return append(b, ']')
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(appendName(b, name), value)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return appendEpoch(appendName(b, name), t)
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // strings always encode
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}
