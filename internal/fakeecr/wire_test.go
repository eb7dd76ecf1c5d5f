package fakeecr_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

func TestErrorsNameTheirTypeInBodyAndHeader(t *testing.T) {
	t.Parallel()
	r := newRequest(t.Context(), "ListImages", strings.NewReader(`{"repositoryName": "none"}`))
	w := httptest.NewRecorder()
	newServer(t).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("got status %d, want 400", w.Code)
	}
	want := `{"__type":"RepositoryNotFoundException","message":"The repository with name 'none' does not exist in the registry with id '123456789012'"}`
	if got := w.Body.String(); got != want {
		t.Errorf("got body %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"Content-Type":     "application/x-amz-json-1.1",
		"X-Amzn-ErrorType": "RepositoryNotFoundException",
		"X-Amzn-RequestId": "00000000-0000-0000-0000-000000000000",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
}

func TestRequestsThatAreNoCall(t *testing.T) {
	t.Parallel()
	const target = "AmazonEC2ContainerRegistry_V20150921.ListImages"
	for _, c := range []struct{ name, method, path, target, contentType string }{
		{"a GET", http.MethodGet, "/", target, "application/x-amz-json-1.1"},
		{"another path", http.MethodPost, "/v2/", target, "application/x-amz-json-1.1"},
		{"another service", http.MethodPost, "/", "AmazonEC2ContainerServiceV20141113.ListTasks", "application/x-amz-json-1.1"},
		{"no target", http.MethodPost, "/", "", "application/x-amz-json-1.1"},
		{"plain JSON", http.MethodPost, "/", target, "application/json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader("{}"))
			r.Header.Set("X-Amz-Target", c.target)
			r.Header.Set("Content-Type", c.contentType)
			w := httptest.NewRecorder()
			newServer(t).ServeHTTP(w, r)
			if got := w.Header().Get("X-Amzn-ErrorType"); w.Code != http.StatusBadRequest || got != "UnknownOperationException" {
				t.Errorf("got %d %s, want 400 UnknownOperationException", w.Code, got)
			}
		})
	}
}

func TestUnreadableBodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, operation, body, want string }{
		{"empty", "ListImages", ``, "SerializationException"},
		{"cut short", "ListImages", `{"repositoryName": "app"`, "SerializationException"},
		{"two values", "ListImages", `{"repositoryName": "app"} {}`, "SerializationException"},
		{"not an object", "ListImages", `[]`, "SerializationException"},
		{"an unknown member", "ListImages", `{"repositoryName": "app", "repo": 1}`, "SerializationException"},
		{"another case", "ListImages", `{"RepositoryName": "app"}`, "SerializationException"},
		{"an unknown member inside", "ListImages", `{"repositoryName": "app", "filter": {"tags": "ANY"}}`, "SerializationException"},
		{"an unknown member in a list", "BatchGetImage", `{"repositoryName": "app", "imageIds": [{"tag": "a"}]}`, "SerializationException"},
		{"an unknown member behind a pointer", "ListImageReferrers", `{"repositoryName": "app", "subjectId": {"digest": "a"}}`, "SerializationException"},
		{"a wrong kind", "ListImages", `{"repositoryName": 1}`, "SerializationException"},
		{"an object for a text", "ListImages", `{"repositoryName": {"a": 1}}`, "SerializationException"},
		{"a list for a text", "ListImages", `{"repositoryName": ["a"]}`, "SerializationException"},
		{"a fraction", "ListImages", `{"repositoryName": "app", "maxResults": 1.5}`, "SerializationException"},
		{"more than 1 MB", "ListImages", `{"repositoryName": "` + strings.Repeat("a", 1<<20) + `"}`, "RequestEntityTooLarge"},
		{"an unknown operation", "CreateRepository", `{}`, "UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, answer := post(t, newServer(t), c.operation, c.body)
			if answer["__type"] != c.want || status < 400 || status >= 500 {
				t.Errorf("got %d %v, want %s", status, answer, c.want)
			}
		})
	}
}

func TestBodiesThatBreakOff(t *testing.T) {
	t.Parallel()
	r := newRequest(t.Context(), "ListImages", iotest.ErrReader(io.ErrUnexpectedEOF))
	w := httptest.NewRecorder()
	newServer(t).ServeHTTP(w, r)
	if got := w.Header().Get("X-Amzn-ErrorType"); got != "SerializationException" {
		t.Errorf("got %s, want SerializationException", got)
	}
}

func TestNullCountsAsAbsent(t *testing.T) {
	t.Parallel()
	status, answer := post(t, newServer(t), "DescribeImages",
		`{"repositoryName": "app", "registryId": null, "imageIds": null, "filter": null, "maxResults": null, "nextToken": null}`)
	if diff := cmp.Diff(map[string]any{"imageDetails": []any{}}, answer); diff != "" || status != http.StatusOK {
		t.Errorf("got %d, mismatch (-want +got)\n%s", status, diff)
	}
}

// The SDK checks these before it sends anything.
func TestRequiredMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ operation, body, parameter string }{
		{"BatchDeleteImage", `{"imageIds": [{"imageTag": "a"}]}`, "repositoryName"},
		{"BatchDeleteImage", `{"repositoryName": "app"}`, "imageIds"},
		{"BatchGetImage", `{"imageIds": [{"imageTag": "a"}]}`, "repositoryName"},
		{"BatchGetImage", `{"repositoryName": "app"}`, "imageIds"},
		{"DeleteLifecyclePolicy", `{}`, "repositoryName"},
		{"DescribeImages", `{}`, "repositoryName"},
		{"GetLifecyclePolicy", `{}`, "repositoryName"},
		{"ListImageReferrers", `{"repositoryName": "app"}`, "subjectId"},
		{"ListImageReferrers", `{"repositoryName": "app", "subjectId": {}}`, "subjectId.imageDigest"},
		{"ListImages", `{}`, "repositoryName"},
		{"ListTagsForResource", `{}`, "resourceArn"},
		{"PutLifecyclePolicy", `{}`, "repositoryName"},
		{"UpdateImageStorageClass", `{"repositoryName": "app", "targetStorageClass": "ARCHIVE"}`, "imageId"},
		{"UpdateImageStorageClass", `{"repositoryName": "app", "imageId": {"imageTag": "a"}}`, "targetStorageClass"},
	} {
		t.Run(c.operation+" without "+c.parameter, func(t *testing.T) {
			t.Parallel()
			status, answer := post(t, newServer(t), c.operation, c.body)
			want := map[string]any{
				"__type":  "InvalidParameterException",
				"message": "Invalid parameter at '" + c.parameter + "' failed to satisfy constraint: 'Member must not be null'",
			}
			if diff := cmp.Diff(want, answer); diff != "" || status != http.StatusBadRequest {
				t.Errorf("got %d, mismatch (-want +got)\n%s", status, diff)
			}
		})
	}
}

func TestEveryOperationWantsItsRepository(t *testing.T) {
	t.Parallel()
	for operation, rest := range map[string]string{
		"BatchDeleteImage":        `, "imageIds": [{"imageTag": "a"}]`,
		"BatchGetImage":           `, "imageIds": [{"imageTag": "a"}]`,
		"DeleteLifecyclePolicy":   ``,
		"DescribeImages":          ``,
		"GetLifecyclePolicy":      ``,
		"ListImageReferrers":      `, "subjectId": {"imageDigest": "sha256:a"}`,
		"ListImages":              ``,
		"PutLifecyclePolicy":      `, "lifecyclePolicyText": "` + strings.Repeat("x", 100) + `"`,
		"UpdateImageStorageClass": `, "imageId": {"imageTag": "a"}, "targetStorageClass": "ARCHIVE"`,
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			for name, want := range map[string]string{
				"none": "RepositoryNotFoundException",
				"No":   "InvalidParameterException",
			} {
				_, answer := post(t, fakeecr.New(), operation, `{"repositoryName": "`+name+`"`+rest+`}`)
				if answer["__type"] != want {
					t.Errorf("%s: got %v, want %s", name, answer, want)
				}
			}
		})
	}
}
