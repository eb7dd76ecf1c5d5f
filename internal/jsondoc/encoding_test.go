package jsondoc_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

func TestUTF8(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"UTF-8":                       {"{\"ü\"}", "{\"ü\"}"},
		"UTF-8 with a mark":           {"\ufeff{}", "{}"},
		"little endian":               {"\xff\xfe{\x00\xfc\x00=\xd8\x00\xde}\x00", "{ü😀}"},
		"big endian":                  {"\xfe\xff\x00{\x00\xfc\xd8=\xde\x00\x00}", "{ü😀}"},
		"empty":                       {"", ""},
		"only a mark":                 {"\xff\xfe", ""},
		"UTF-16 without a mark":       {"{\x00}\x00", "{\x00}\x00"},
		"half a unit":                 {"\xff\xfe{\x00}", "\xff\xfe{\x00}"},
		"half a surrogate pair":       {"\xff\xfe{\x00=\xd8}\x00", "\xff\xfe{\x00=\xd8}\x00"},
		"another mark in the text":    {"\ufeff\ufeff{}", "\ufeff{}"},
		"a mark that is not complete": {"\xff", "\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(jsondoc.UTF8([]byte(c.text))); got != c.want {
				t.Errorf("UTF8(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}
