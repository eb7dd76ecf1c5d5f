package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// A request is a request for a page of images.
type request struct{ token, tagStatus, imageStatus string }

// listings are the filters of callers: none, every status, and every status with and
// without tags.
var listings = []request{
	{},
	{imageStatus: "ANY"},
	{imageStatus: "ANY", tagStatus: "TAGGED"},
	{imageStatus: "ANY", tagStatus: "UNTAGGED"},
}

// pageSize is the size of the rendered pages, which is the maximum.
const pageSize = 1000

// pages renders all listings of a repository.
func (s *Server) pages(repository string) map[request][]byte {
	pages := map[request][]byte{}
	for _, listing := range listings {
		for more := true; more; more = listing.token != "" {
			page := s.ask(repository, listing)
			pages[listing] = page
			listing.token = nextToken(page)
		}
	}
	return pages
}

// ask requests a page from the registry.
func (s *Server) ask(repository string, page request) []byte {
	body := map[string]any{"repositoryName": repository, "maxResults": pageSize}
	if page.token != "" {
		body["nextToken"] = page.token
	}
	filter := map[string]string{}
	if page.imageStatus != "" {
		filter["imageStatus"] = page.imageStatus
	}
	if page.tagStatus != "" {
		filter["tagStatus"] = page.tagStatus
	}
	if len(filter) > 0 {
		body["filter"] = filter
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic("bench: " + err.Error())
	}
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(text))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set(targetHeader, targetPrefix+"DescribeImages")
	w := httptest.NewRecorder()
	s.registry.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		panic(fmt.Sprintf("bench: DescribeImages in %s: %s", repository, w.Body))
	}
	return w.Body.Bytes()
}

// nextToken finds the token at the end of a page.
func nextToken(page []byte) string {
	const name = `"nextToken":"`
	i := bytes.LastIndex(page, []byte(name))
	if i < 0 {
		return ""
	}
	token := page[i+len(name):]
	return string(token[:bytes.IndexByte(token, '"')])
}
