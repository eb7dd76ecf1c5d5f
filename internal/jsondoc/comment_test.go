package jsondoc_test

import (
	"testing"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

func TestWithoutComments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                 "",
		"{} // all":                        "{}       ",
		"// größe 🐳\n{}":                   "          \n{}",
		"{\"a\": 1, // \"b\": 2,\r\n}":     "{\"a\": 1,           \r\n}",
		"// a\r{}":                         "    \r{}",
		`{"s3": "s3://b", "q": "\"//" }//`: `{"s3": "s3://b", "q": "\"//" }  `,
		`{"a": "\\"} // "`:                 `{"a": "\\"}     `,
		"{/* x */}":                        "{/* x */}",
		"{/":                               "{/",
		"\"open // \n// x":                 "\"open // \n    ",
		"\xff // x":                        "\xff // x",
		"////":                             "    ",
	} {
		equal(t, text, want, string(jsondoc.WithoutComments([]byte(text))))
	}
}

func TestProblemsBehindComments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"// größe 🐳\n{\"ü\": 1, // ä\n \"mode\": [1, // é\n]}": "4:1: is not JSON: invalid character ']' looking for beginning of value; remove the comma before it",
		"// only":            "1:8: is empty; a JSON object is expected",
		"{ # x\n}":           "1:3: is not JSON: invalid character '#' looking for beginning of object key string; JSON has no such comments, and only a configuration or an extended policy may have // comments",
		"{} /* x */ // ok":   "1:4: is not JSON: invalid character '/' after top-level value; JSON has no such comments, and only a configuration or an extended policy may have // comments",
		"// x\n\xff":         "2:1: is not UTF-8; save the file as UTF-8",
		"{\"a\": \"x // y\n": `1:14: is not JSON: invalid character '\n' in string literal`,
	} {
		equal(t, text, []string{want}, problems(jsondoc.Parse(jsondoc.WithoutComments([]byte(text)))))
	}
}

// The text without comments has the same characters otherwise, and no comment.
func FuzzWithoutComments(f *testing.F) {
	for _, seed := range []string{"{} // x", "// ü\r\n{\"a\": \"//\"}", `"\`, "//", "\xff//"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		plain := jsondoc.WithoutComments(text)
		equal(t, "again", string(plain), string(jsondoc.WithoutComments(plain)))
		equal(t, "characters", utf8.RuneCount(text), utf8.RuneCount(plain))
		got := []rune(string(plain))
		for i, r := range []rune(string(text)) {
			if got[i] != r && (got[i] != ' ' || r == '\n') {
				t.Fatalf("character %d is %q, was %q", i, got[i], r)
			}
		}
	})
}
