package imagepage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/imagepage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A page may have no images in two ways.
var nilIsEmpty = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Images" }, cmpopts.EquateEmpty())

// unique leaves out images that are listed again, as the client does.
func unique(images []evaluator.Image) []evaluator.Image {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(images), func(im evaluator.Image) bool {
		again := seen[im.Digest]
		seen[im.Digest] = true
		return again
	})
}

const whole = `{"imageDetails":[{"registryId":"123456789012","repositoryName":"app","imageDigest":"sha256:a","imageTags":["v1","latest"],
	"imageSizeInBytes":12345,"imagePushedAt":1.771000000123E9,"imageStatus":"ARCHIVED",
	"imageManifestMediaType":"application/vnd.oci.image.manifest.v1+json","artifactMediaType":"application/vnd.example",
	"lastRecordedPullTime":1771000001.5,"subjectManifestDigest":"sha256:s","lastArchivedAt":1771000002,"lastActivatedAt":17710000030e-1,
	"imageScanStatus":{"status":"COMPLETE","description":"The scan \"was\" completed."},
	"imageScanFindingsSummary":{"imageScanCompletedAt":1771000000.1,"vulnerabilitySourceUpdatedAt":1,"findingSeverityCounts":{"HIGH":1,"LOW":null}},
	"somethingNew":{"a":[1,[true,false,null],{"b":"\u00e9"},-0.5e+3]}}],"nextToken":"t=="}`

func TestDecodeReadsEveryField(t *testing.T) {
	t.Parallel()
	got, err := imagepage.Decode([]byte(whole))
	at := time.Unix(1771000000, 0).UTC()
	want := imagepage.Page{NextToken: "t==", Images: []evaluator.Image{{
		Digest: "sha256:a", Tags: []string{"v1", "latest"}, Status: evaluator.Archived,
		PushedAt: evaluator.At(at.Add(123 * time.Millisecond)), LastRecordedPullTime: evaluator.At(at.Add(1500 * time.Millisecond)),
		LastArchivedAt: evaluator.At(at.Add(2 * time.Second)), LastActivatedAt: evaluator.At(at.Add(3 * time.Second)), SizeInBytes: 12345,
		ManifestMediaType: "application/vnd.oci.image.manifest.v1+json", SubjectDigest: "sha256:s",
	}}}
	awstest.NoError(t, err)
	awstest.Equal(t, "Decode", want, got)
}

// detail is a page of one image with these members as well.
func detail(members string) string {
	return `{"imageDetails":[{"imageDigest":"sha256:a","imagePushedAt":1,` + members + `}]}`
}

// odd are pages that ECR does not send, or not as far as is known, that can be read all the same.
var odd = map[string]string{
	"no members":              `{}`,
	"no images":               `{"imageDetails":[]}`,
	"white space":             " {\n\t\"imageDetails\" : [ ] ,\r\n \"nextToken\" : \"t\" } \n",
	"null list":               `{"imageDetails":null,"nextToken":null}`,
	"null members":            detail(`"imageTags":null,"imageStatus":null,"imageSizeInBytes":null,"lastArchivedAt":null,"imageScanStatus":null,"registryId":null`),
	"null after a value":      detail(`"imageTags":["v1"],"imageTags":null,"imageDigest":null`),
	"null tag":                detail(`"imageTags":["v1",null,""]`),
	"no tags":                 detail(`"imageTags":[]`),
	"member twice":            detail(`"imageDigest":"sha256:b","imageTags":["v1","v2"],"imageTags":["v3"],"imagePushedAt":2`),
	"list twice":              `{"imageDetails":[{"imageDigest":"sha256:a","imagePushedAt":1},{}],"imageDetails":[{"imageDigest":"sha256:b","imagePushedAt":1}]}`,
	"refused list, then none": `{"imageDetails":[{}],"imageDetails":[]}`,
	"token twice":             `{"nextToken":"a","nextToken":"b"}`,
	"escaped name":            `{"imageDet\u0061ils":[{"image\u0044igest":"sha256:a","imagePushedAt":1}]}`,
	"each image for itself": detail(`"imageTags":["v1"],"imageStatus":"ARCHIVED","subjectManifestDigest":"s","imageSizeInBytes":5,"lastArchivedAt":7,"artifactMediaType":"a","registryId":"1"},
		{"imageDigest":"sha256:b","imagePushedAt":2},{"registryId":"12","artifactMediaType":"a/b","imagePushedAt":3,"imageDigest":"sha256:c","imageStatus":""`),
	"other case is unknown": `{"imagedetails":5,"ImageDetails":"x","NextToken":[]}`,
	"escapes":               detail(`"imageTags":["\"\\\/\b\f\n\r\t","\u00e9\uD83D\uDE00","\ud83d","\ude00x","\ud83d\u0041"],"imageManifestMediaType":"a\/b"`),
	"invalid UTF-8":         detail("\"imageTags\":[\"\xff\",\"\xff\\n\",\"\u2028\x7f\"]"),
	"long strings":          detail(`"imageTags":["` + strings.Repeat("a", 1000) + `","` + strings.Repeat("é", 100) + `\n"]`),
	"same image twice":      `{"imageDetails":[{"imageDigest":"sha256:a","imagePushedAt":1},{"imageDigest":"sha256:a","imagePushedAt":2}]}`,
	"integers":              detail(`"imageSizeInBytes":9223372036854775807,"imageSizeInBytes":-9223372036854775808,"imageSizeInBytes":-0`),
	"deep":                  `{"x":` + strings.Repeat("[", 9999) + strings.Repeat("]", 9999) + `}`,
}

const (
	changed   = " changed while the pages were listed"
	outOfTime = ` has a time before the year 1970 or after 2261; check the endpoint`
)

// refused are image details that cannot be judged, and how it is said.
var refused = map[string]string{
	`{"imageDetails":[null]}`:                                            `image without imageDigest (tags []); check the endpoint`,
	`{"imageDetails":[{"imageTags":["v1"],"imagePushedAt":1}]}`:          `image without imageDigest (tags ["v1"]); check the endpoint`,
	`{"imageDetails":[{"imageDigest":"","imagePushedAt":1}]}`:            `image without imageDigest (tags []); check the endpoint`,
	`{"imageDetails":[{"imageDigest":"sha256:a"},{}]}`:                   `image sha256:a without imagePushedAt; check the endpoint`,
	detail(`"imageStatus":"FROZEN"`):                                     `image sha256:a has the unknown imageStatus "FROZEN"; update the cleaner`,
	detail(`"imagePushedAt":-1`):                                         `image sha256:a` + outOfTime,
	detail(`"lastRecordedPullTime":253402300800`):                        `image sha256:a` + outOfTime,
	detail(`"lastArchivedAt":-62135596800`):                              `image sha256:a` + outOfTime,
	detail(`"lastActivatedAt":18448515073710`):                           `image sha256:a` + outOfTime, // 2026, if it is multiplied in 64 bits
	detail(`"lastActivatedAt":-18445302147419`):                          `image sha256:a` + outOfTime,
	detail(`"lastArchivedAt":9223372036.854775808`):                      `image sha256:a` + outOfTime,
	detail(`"lastActivatedAt":1e300`):                                    `image sha256:a` + outOfTime,
	`{"imageDetails":[{"imageDigest":"sha256:a","imagePushedAt":1},{}]}`: `image without imageDigest (tags []); check the endpoint`,
}

// times are push times that the decoder must read as the SDK does.
var times = []string{
	"0", "1", "0.001", "0.0009", "-0.0001", "1e3", "1E+3", "1771000000", "1.771E9", "1771000000.001", "1771000000.123", "1771000000.999", "1771000000.9999999",
	"1771000000.1234567890123456789", "17710000001234e-4", "253402300799.999", "1e10", "1e11", "1e15", "9007199254740993", "9223372036854775807",
	"9223372036854775808", "-9223372036854775809", "9223372036854.775807", "9223372036854.776", "-9223372036854.776", "1e300", "1.7e308", "-1e300", "5e-324", "1e-400", "-0", "-0.0",
}

// broken are pages that the decoder must refuse.
var broken = map[string]string{
	"nothing":                   ``,
	"white space":               ` `,
	"null":                      `null`,
	"a list":                    `[]`,
	"a string":                  `"x"`,
	"words":                     `<html>`,
	"something after the end":   `{}{}`,
	"a bracket after the end":   `{}]`,
	"a NUL after the end":       "{}\x00",
	"list of another type":      `{"imageDetails":{}}`,
	"image of another type":     `{"imageDetails":["x"]}`,
	"token of another type":     `{"nextToken":5}`,
	"digest of another type":    detail(`"imageDigest":5`),
	"tags of another type":      detail(`"imageTags":"v1"`),
	"tag of another type":       detail(`"imageTags":[["v1"]]`),
	"status of another type":    detail(`"imageStatus":true`),
	"size in words":             detail(`"imageSizeInBytes":"5"`),
	"size with a fraction":      detail(`"imageSizeInBytes":5.0`),
	"size with an exponent":     detail(`"imageSizeInBytes":1e3`),
	"size beyond 64 bits":       detail(`"imageSizeInBytes":9223372036854775808`),
	"time as a string":          detail(`"imagePushedAt":"2026-01-01T00:00:00Z"`),
	"time that is none":         detail(`"imagePushedAt":"NaN"`),
	"endless time":              detail(`"lastArchivedAt":"-Infinity"`),
	"time beyond all numbers":   detail(`"imagePushedAt":1e400`),
	"time of another type":      detail(`"imagePushedAt":true`),
	"registry of another type":  detail(`"registryId":5`),
	"name of another type":      detail(`"repositoryName":[]`),
	"media type of other type":  detail(`"artifactMediaType":{}`),
	"subject of another type":   detail(`"subjectManifestDigest":0`),
	"scan status of other type": detail(`"imageScanStatus":"COMPLETE"`),
	"scan word of another type": detail(`"imageScanStatus":{"status":1}`),
	"summary of another type":   detail(`"imageScanFindingsSummary":[]`),
	"scan time of another type": detail(`"imageScanFindingsSummary":{"imageScanCompletedAt":[]}`),
	"counts of another type":    detail(`"imageScanFindingsSummary":{"findingSeverityCounts":[]}`),
	"count beyond 32 bits":      detail(`"imageScanFindingsSummary":{"findingSeverityCounts":{"HIGH":2147483648}}`),
	"fault after a refusal":     `{"imageDetails":[{},{"imageDigest":5}]}`,
	"name again, no comma":      `{"y":{"x":1},"z":{"x":1"x":2}}`,
	"name again, with a comma":  `{"y":{"x":1,"x":2},"z":{,"x":1}}`,
	"name again, no colon":      `{"y":{"x":1},"z":{"x"1}}`,
	"word again, longer":        detail(`"registryId":"1"},{"registryId":"12`),
	"no comma between tags":     detail(`"imageTags":["v1" "v2"]`),
	"comma at the end":          detail(`"imageTags":["v1",]`),
	"comma at the start":        `{"imageDetails":[,{}]}`,
	"comma after a member":      `{"imageDetails":[],}`,
	"only a comma":              `{,}`,
	"no colon":                  `{"imageDetails" []}`,
	"name without quotes":       `{imageDetails:[]}`,
	"wrong bracket":             `{"imageDetails":[}`,
	"unknown escape":            detail(`"imageTags":["\x41"]`),
	"cut escape":                detail(`"imageTags":["\u00"]`),
	"control character":         detail("\"imageTags\":[\"a\nb\"]"),
	"control character, far in": detail("\"imageTags\":[\"abcdefghijklmnop\x1fq\"]"),
	"leading zero":              detail(`"imageSizeInBytes":01`),
	"plus":                      detail(`"imageSizeInBytes":+1`),
	"minus only":                detail(`"imageSizeInBytes":-`),
	"no digit after the point":  detail(`"x":1.`),
	"no digit before the point": detail(`"x":.5`),
	"no digit in the exponent":  detail(`"x":1e+`),
	"hexadecimal":               detail(`"imageSizeInBytes":0x10`),
	"half a word":               detail(`"x":tru`),
	"other word":                detail(`"x":nul`),
	"too deep":                  `{"x":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`,
}

func TestOddPagesAreReadAsTheSDKReadsThem(t *testing.T) {
	t.Parallel()
	for name, text := range odd {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := imagepage.Decode([]byte(text)); err != nil {
				t.Errorf("Decode: %v", err)
			}
			same(t, text)
		})
	}
	same(t, whole)
}

func TestTimesAreNearlyThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, number := range times {
		same(t, detail(`"imagePushedAt":`+number))
		same(t, detail(`"lastRecordedPullTime":`+number))
	}
}

// The SDK multiplies by 1000 in a float64, and loses a millisecond if the product is
// less than the whole number.
func TestTimesAreExact(t *testing.T) {
	t.Parallel()
	for ms := range 1000 {
		page, err := imagepage.Decode(fmt.Appendf(nil, `{"imageDetails":[{"imageDigest":"sha256:a","imagePushedAt":1.771000000%03dE9,"lastRecordedPullTime":1771000000.%03d}]}`, ms, ms))
		want := evaluator.At(time.UnixMilli(1771000000000 + int64(ms)))
		if err != nil || page.Images[0].PushedAt != want || page.Images[0].LastRecordedPullTime != want {
			t.Fatalf("%d ms: %+v, %v", ms, page, err)
		}
	}
	for text, want := range map[string]time.Time{
		"1.772215200512E9":               time.UnixMilli(1772215200512),
		"1772215200.123456789":           time.Unix(1772215200, 123456789),
		"17722152001234567891234567e-16": time.Unix(1772215200, 123456789),
		"0":                              time.Unix(0, 0),
		"0.0000000001":                   time.Unix(0, 0),
	} {
		page, err := imagepage.Decode([]byte(detail(`"imagePushedAt":` + text)))
		if err != nil || page.Images[0].PushedAt != evaluator.At(want) {
			t.Errorf("%s: %+v, %v; want %s", text, page, err, want)
		}
	}
}

func TestARefusedImageEndsThePage(t *testing.T) {
	t.Parallel()
	for text, want := range refused {
		page, err := imagepage.Decode([]byte(text))
		if err != nil || page.Refused == nil || page.Refused.Error() != want {
			t.Errorf("%s: refused %v, error %v; want %s", text, page.Refused, err, want)
		}
		same(t, text)
	}
}

func TestBrokenPagesAreErrors(t *testing.T) {
	t.Parallel()
	for name, text := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if page, err := imagepage.Decode([]byte(text)); err == nil {
				t.Errorf("Decode = %+v, want an error", page)
			}
			same(t, text)
		})
	}
}

// An answer that ends too early must not pass for a short listing.
func TestEveryCutPageIsAnError(t *testing.T) {
	t.Parallel()
	for end := range len(whole) {
		if page, err := imagepage.Decode([]byte(whole[:end])); err == nil {
			t.Errorf("Decode of %d bytes = %+v, want an error", end, page)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"nextToken":5}`:            `byte 13 of the page: want a string`,
		`{"imageDetails":[1]}`:       `byte 17 of the page: want an object`,
		`{"x":1}}`:                   `byte 7 of the page: want the end`,
		detail(`"imagePushedAt":"x`): `byte 77 of the page: want a number`,
	} {
		if _, err := imagepage.Decode([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestNothingOfAPageRefersToItsText(t *testing.T) {
	t.Parallel()
	text := []byte(whole)
	got, err := imagepage.Decode(text)
	awstest.NoError(t, err)
	clear(text)
	want, err := imagepage.Decode([]byte(whole))
	awstest.NoError(t, err)
	awstest.Equal(t, "page", want, got)
}

// FuzzImagePage compares the decoder with the SDK.
func FuzzImagePage(f *testing.F) {
	f.Add(whole)
	for _, pages := range []map[string]string{odd, broken} {
		for _, text := range pages {
			if len(text) < 2000 { // long ones make fuzzing slow
				f.Add(text)
			}
		}
	}
	for text := range refused {
		f.Add(text)
	}
	for _, number := range times {
		f.Add(detail(`"imagePushedAt":` + number))
	}
	f.Fuzz(same)
}
