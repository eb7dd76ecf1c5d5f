package reference

import "strings"

// This file uses no regular expressions, because lists can have millions of names.

// isRepositoryName reports whether the text is the name of an ECR repository.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
func isRepositoryName(text string) bool {
	return 2 <= len(text) && len(text) <= 256 && isRepositoryPrefix(text)
}

// isRepositoryPrefix is isRepositoryName for a text of any length.
func isRepositoryPrefix(text string) bool { return eachPart(text, "/", isRepositoryPart) }

// isRepositoryPart reports whether the text is lower-case letters and digits, and
// single separators between them: a dot, one or two underscores, or dashes.
func isRepositoryPart(text string) bool {
	if text == "" || isMark(text[0]) || isMark(text[len(text)-1]) {
		return false
	}
	marks := 0 // the length of the separator before the byte
	for i := range len(text) {
		switch c := text[i]; {
		case isLowerOrDigit(c):
			marks = 0
		case !isMark(c), marks > 0 && (c != text[i-1] || c == '.'), c == '_' && marks > 1:
			return false
		default:
			marks++
		}
	}
	return true
}

// isTag reports whether the text is a tag.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
func isTag(text string) bool {
	return consists(text, isTagByte) && len(text) <= 128 && text[0] != '.' && text[0] != '-'
}

// isRegion reports whether the text is like eu-west-1.
func isRegion(text string) bool {
	first, rest, more := strings.Cut(text, "-")
	return more && consists(first, isLower) && partsConsist(rest, "-", isLowerOrDigit)
}

// isSuffix reports whether the text is like amazonaws.com.
func isSuffix(text string) bool {
	return strings.Contains(text, ".") && partsConsist(text, ".", func(c byte) bool { return isLowerOrDigit(c) || c == '-' })
}

// isPath reports whether the text can be the path of a repository in any registry.
func isPath(text string) bool { return eachPart(text, "/", isPathPart) }

// isPathPart reports whether the text is letters and digits with marks between them.
func isPathPart(text string) bool {
	return consists(text, isTagByte) && !isMark(text[0]) && !isMark(text[len(text)-1])
}

// consists reports whether the text has bytes and all of them are of that kind.
func consists(text string, of func(byte) bool) bool {
	for i := range len(text) {
		if !of(text[i]) {
			return false
		}
	}
	return text != ""
}

func partsConsist(text, separator string, of func(byte) bool) bool {
	return eachPart(text, separator, func(part string) bool { return consists(part, of) })
}

func eachPart(text, separator string, is func(string) bool) bool {
	for part := range strings.SplitSeq(text, separator) {
		if !is(part) {
			return false
		}
	}
	return true
}

func isMark(c byte) bool { return c == '.' || c == '_' || c == '-' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isLowerOrDigit(c byte) bool { return isLower(c) || isDigit(c) }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' }

func isTagByte(c byte) bool { return isLowerOrDigit(c) || 'A' <= c && c <= 'Z' || isMark(c) }
