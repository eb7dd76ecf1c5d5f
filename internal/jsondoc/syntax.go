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

// syntaxFault returns the first fault of the text as JSON and its offset. The
// message is empty when there is none.
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

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or the
// length of the text.
func invalidUTF8(text []byte) int {
	for i := 0; ; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}

// unexpected puts the fault of encoding/json at the offset into words. The
// original names the byte at the offset, which may be part of a character.
func unexpected(text []byte, offset int, fault string) string {
	if strings.HasSuffix(fault, "exceeded max depth") {
		return fmt.Sprintf("is nested more than %d levels deep", MaxDepth)
	}
	r, _ := utf8.DecodeRune(text[offset:])
	context := fault[strings.LastIndex(fault, "' ")+1:]
	return fmt.Sprintf("is not JSON: invalid character %s%s%s", strconv.QuoteRune(r), context, hint(text[:offset], r))
}

// hint says what to do about the most frequent faults, given what stands
// before the character that does not fit.
func hint(before []byte, r rune) string {
	before = bytes.TrimRight(before, " \t\r\n")
	switch {
	case strings.ContainsRune("]}", r) && bytes.HasSuffix(before, []byte(",")):
		return "; remove the comma before it"
	case strings.ContainsRune("'‘’“”", r):
		return `; strings stand in straight double quotes (")`
	case strings.ContainsRune("/#", r):
		return "; JSON has no comments"
	}
	return ""
}
