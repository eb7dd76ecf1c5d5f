package text

import (
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 40)
	for _, test := range []struct{ got, want string }{
		{Printable("a\tb\x1b[2J"), "a?b?[2J"},
		{Line(" two\n lines\t"), "two lines"},
		{Clip("short"), "short"},
		{Clip("x" + long), "x" + long[:58] + "…"},
		{ShortDigest("sha256:0123456789abcdef"), "sha256:0123456789ab"},
		{ShortDigest("md5"), "md5"},
		{ShortDigests("of sha256:" + strings.Repeat("a", 64) + "!"), "of sha256:aaaaaaaaaaaa!"},
		{Tags(nil), "-"},
		{Tags([]string{"a", "b", "c", "d", "e"}), "a,b,c +2"},
		{Time(time.Time{}), "-"},
		{Time(time.Unix(0, 0)), "1970-01-01T00:00:00Z"},
		{Number(0), "-"},
		{Count(0, "image"), "0 images"},
		{Count(1, "repository"), "1 repository"},
		{Count(2000, "repository"), "2000 repositories"},
		{NewTable("A", "B").String(), ""},
	} {
		awstest.Equal(t, "text", test.want, test.got)
	}
}

func TestATableHasOneLineForEachRow(t *testing.T) {
	t.Parallel()
	table := NewTable("NAME", "WHY")
	table.Row("a", "one\nline")
	table.Row("longer", "x\ty")
	awstest.Equal(t, "table", "NAME    WHY\na       one?line\nlonger  x?y\n", table.String())
}
