package jsondoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// syntaxFault returns the first syntax error of the text and its offset. The message is
// empty if there is none.
func syntaxFault(text []byte) (offset int, msg string) {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return len(text), "is empty; a JSON object is expected"
	case !utf8.Valid(text):
		return invalidUTF8(text), "is not UTF-8; save the file as UTF-8"
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return 0, "begins with a byte order mark; save the file as UTF-8 without one"
	}
	var raw json.RawMessage
	fault, found := errors.AsType[*json.SyntaxError](json.Unmarshal(text, &raw))
	switch {
	case !found:
		return 0, ""
	case fault.Error() == "unexpected end of JSON input":
		return len(text), "ends too early: the JSON is cut short; add the rest"
	}
	offset = int(fault.Offset) - 1
	return offset, unexpected(text, offset, fault.Error())
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8. There must be one.
func invalidUTF8(text []byte) int {
	for i := 0; ; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}

// unexpected describes the error of encoding/json at the offset. The original message
// names the byte there, which may be a part of a character.
func unexpected(text []byte, offset int, fault string) string {
	if strings.HasSuffix(fault, "exceeded max depth") {
		return fmt.Sprintf("is nested more than %d levels deep", MaxDepth)
	}
	r, _ := utf8.DecodeRune(text[offset:])
	context := fault[strings.LastIndex(fault, "' ")+1:]
	return fmt.Sprintf("is not JSON: invalid character %s%s%s", strconv.QuoteRune(r), context, hint(text[:offset], text[offset:], r))
}

// hint says how to correct the most frequent errors. Before is the text before the
// unexpected character r, and from begins with it.
func hint(before, from []byte, r rune) string {
	before = bytes.TrimRight(before, " \t\r\n")
	switch {
	case strings.ContainsRune("]}", r) && bytes.HasSuffix(before, []byte(",")):
		return "; remove the comma before it"
	case strings.ContainsRune("'‘’“”", r):
		return `; write strings in straight double quotes (")`
	case bytes.HasPrefix(from, []byte("//")):
		return "; JSON has no comments"
	case strings.ContainsRune("/#", r):
		return "; JSON has no such comments, and only a configuration or an extended policy may have // comments"
	}
	return ""
}
