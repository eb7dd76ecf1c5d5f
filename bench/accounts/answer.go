package accounts

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// An answer has the text of an answer. A code makes it an error.
type answer struct {
	status int
	code   string
	text   string
	xml    bool
}

func (c call) throttled() answer {
	switch c.service {
	case "sts":
		return failed(c, http.StatusBadRequest, "Throttling", "Rate exceeded")
	case "lambda":
		return failed(c, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	}
	return failed(c, http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
}

func failed(c call, status int, code, message string) answer {
	if c.service == "sts" {
		return answer{status, code, fmt.Sprintf(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>`+
			`<Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message), true}
	}
	return answer{status, code, fmt.Sprintf(`{"__type": %q, "message": %q}`, code, message), false}
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if a.xml {
		w.Header().Set("Content-Type", "text/xml")
	} else if a.code != "" {
		w.Header().Set("X-Amzn-Errortype", a.code)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.text)))
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = io.WriteString(w, a.text) // the caller may have gone
}

// object renders a JSON object with a list in it, and the token of the next page.
func object(name string, items []string, token string) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, `{%q: [%s]`, name, strings.Join(items, ", "))
	if token != "" {
		fmt.Fprintf(&text, `, "nextToken": %q`, token)
	}
	return text.String() + "}"
}

// page returns the part of n items that follows the token, as numbers, and the next token.
func page(n int, token string, size int) (from, to int, next string) {
	from, _ = strconv.Atoi(token) // "" is 0
	if to = min(from+size, n); to < n {
		next = strconv.Itoa(to)
	}
	return from, to, next
}
