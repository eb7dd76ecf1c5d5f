package awstest

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// S3 is an S3 with the objects of all buckets, which it gets, puts and lists. Its zero value
// is empty. It is safe for concurrent use. Do not set its fields after the first request.
type S3 struct {
	PageSize int               // of listings; 0 is 1000
	Denied   map[string]bool   // the operations that it refuses: GET, PUT and LIST
	Objects  map[string]string // the contents by bucket/key
	Modified time.Time         // of all objects; zero is Now

	mu    sync.Mutex
	Calls map[string]int // by operation
}

// Object returns the content of an object, or "".
func (s *S3) Object(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Objects[name]
}

func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, operation := strings.TrimPrefix(r.URL.Path, "/"), r.Method
	if strings.HasSuffix(name, "/") && r.URL.Query().Get("list-type") == "2" {
		operation = "LIST"
	}
	if s.Calls == nil {
		s.Calls = map[string]int{}
	}
	s.Calls[operation]++
	content, exists := s.Objects[name]
	switch {
	case s.Denied[operation]:
		w.WriteHeader(http.StatusForbidden)
	case operation == "LIST":
		_ = xml.NewEncoder(w).Encode(s.list(strings.TrimSuffix(name, "/"), r.URL.Query()))
	case operation == http.MethodPut && exists && r.Header.Get("If-None-Match") == "*":
		w.WriteHeader(http.StatusPreconditionFailed)
		_, _ = io.WriteString(w, "<Error><Code>PreconditionFailed</Code></Error>")
	case operation == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		if s.Objects == nil {
			s.Objects = map[string]string{}
		}
		s.Objects[name] = string(body)
	case !exists:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Last-Modified", s.modified().Format(http.TimeFormat))
		_, _ = io.WriteString(w, content)
	}
}

func (s *S3) modified() time.Time {
	if s.Modified.IsZero() {
		return Now
	}
	return s.Modified.UTC()
}

type s3Listing struct {
	XMLName                             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name, Prefix, NextContinuationToken string   `xml:",omitempty"`
	EncodingType                        string
	KeyCount                            int
	IsTruncated                         bool
	Contents                            []s3Object
}

type s3Object struct {
	Key, LastModified string
	Size              int
}

// list returns a page. The continuation token is the last key of the page before.
func (s *S3) list(bucket string, query url.Values) s3Listing {
	page := s3Listing{Name: bucket, Prefix: query.Get("prefix"), EncodingType: "url"}
	most := s.PageSize
	if most == 0 {
		most = 1000
	}
	for _, name := range slices.Sorted(maps.Keys(s.Objects)) {
		key, found := strings.CutPrefix(name, bucket+"/")
		if !found || !strings.HasPrefix(key, page.Prefix) || key <= query.Get("continuation-token") && query.Has("continuation-token") {
			continue
		}
		if page.KeyCount == most {
			page.IsTruncated = true
			page.NextContinuationToken, _ = url.QueryUnescape(page.Contents[most-1].Key)
			break
		}
		page.Contents = append(page.Contents, s3Object{url.QueryEscape(key), s.modified().Format(time.RFC3339), len(s.Objects[name])})
		page.KeyCount++
	}
	return page
}

// ListOf returns a list of references of the account and Region, written that long before Now.
func ListOf(account, region string, age time.Duration, images ...string) string {
	references := make([]string, len(images))
	for i, image := range images {
		references[i] = fmt.Sprintf(`{"image": %q, "by": "task/%d"}`, image, i)
	}
	return fmt.Sprintf(`{"version": 1, "account": %q, "region": %q, "time": %q, "references": [%s]}`,
		account, region, Now.Add(-age).Format(time.RFC3339), strings.Join(references, ", "))
}
