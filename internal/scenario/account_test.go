package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// An awsAccount plays the services of an AWS account in front of a registry. Its answers are
// those of its users, put together.
type awsAccount struct {
	registry http.Handler
	empty    user              // the answers of an account without users
	spell    *strings.Replacer // of answers, for the account and the Region

	mu    sync.Mutex
	users []user
}

// A user uses one image of the repository app, which has the name of the user as its tag.
type user struct {
	name   string
	source string // that finds it
	// Answers are parts of answers: of an operation, or of a path in a REST API. They may
	// be for requests with a value only, which follows after a space. In an answer, HOST is
	// the registry's host, ECS: begins an ARN of ECS, and @NAME is the digest of an image.
	answers map[string]string
	// In place of answers, list is the content of a list of references, which is at location.
	list, location string
}

// spelling completes the answers of the account in the Region.
func spelling(account, region string) *strings.Replacer {
	return strings.NewReplacer("HOST", host, "ECS:", "arn:aws:ecs:"+region+":"+account+":", "AWS:", ":"+region+":"+account+":")
}

func (a *awsAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerRegistry") {
		a.registry.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body) // a cut body is no JSON
	name, values := strings.TrimSuffix(r.URL.Path, "/"), []string{}
	if _, operation, isPost := strings.Cut(r.Header.Get("X-Amz-Target"), "."); isPost {
		name = operation
	} else if len(body) > 0 && !json.Valid(body) { // of STS
		r.Body = io.NopCloser(bytes.NewReader(body))
		a.registry.ServeHTTP(w, r)
		return
	}
	for _, query := range r.URL.Query() {
		values = append(values, query...)
	}
	var input map[string]any
	_ = json.Unmarshal(body, &input) // without a body there are no values
	for _, value := range input {
		if text, ok := value.(string); ok {
			values = append(values, text)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	answer := a.answer(name, values)
	if len(answer) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": "InvalidRequest", "message": fmt.Sprintf("the test has no answer to %s %q", name, values)}
	}
	_ = json.NewEncoder(w).Encode(answer) // the caller may have gone
}

// become makes the account have these users.
func (a *awsAccount) become(users []user) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users = append([]user{a.empty}, users...)
}

// answer returns the answer to a request with the values: all parts for it, with their
// lists put together.
func (a *awsAccount) answer(name string, values []string) map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	whole := map[string]any{}
	for _, u := range a.users {
		for _, key := range slices.Sorted(maps.Keys(u.answers)) {
			operation, value, some := strings.Cut(a.spell.Replace(key), " ")
			if operation == name && (!some || slices.Contains(values, value)) {
				join(whole, parse(a.spell.Replace(u.answers[key])))
			}
		}
	}
	return whole
}

var digestName = regexp.MustCompile(`@[a-z0-9-]+`)

func parse(text string) map[string]any {
	text = digestName.ReplaceAllStringFunc(text, func(name string) string { return "@" + digestOf(name[1:]) })
	var part map[string]any
	if err := json.Unmarshal([]byte(text), &part); err != nil {
		panic(err.Error() + ": " + text)
	}
	return part
}

func join(whole, part map[string]any) {
	for key, value := range part {
		items, isList := value.([]any)
		before, _ := whole[key].([]any)
		if whole[key] = value; isList {
			whole[key] = append(append([]any{}, before...), items...) // an empty list is not null
		}
	}
}
