package text

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
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
		{Days("pushed 199d 19h 21m 14s ago, limit 30d; 2nd newest"), "pushed 199 days ago, limit 30 days; 2nd newest"},
		{Days("pushed 1d 1h ago, limit 1d"), "pushed 1 day 1h ago, limit 1 day"},
		{Days("pushed 14d 0.001s ago, limit 14d"), "pushed 14 days 0.001s ago, limit 14 days"},
		{Days("no lastRecordedPullTime, limit 7d"), "no lastRecordedPullTime, limit 7 days"},
		{Days("pushed over 106751d from now, limit 7d"), "pushed over 106751 days from now, limit 7 days"},
		{Days("matching 12d*, rule keeps 5"), "matching 12d*, rule keeps 5"},
		{Tags([]string{"a", "b", "c", "d", "e"}), "a,b,c +2"},
		{Time(time.Time{}), "-"},
		{Time(time.Unix(0, 0)), "1970-01-01T00:00:00Z"},
		{Number(0), "-"},
		{Count(0, "image"), "0 images"},
		{Count(1, "repository"), "1 repository"},
		{Count(2000, "repository"), "2000 repositories"},
		{NewTable(Column{Name: "A"}).Fit(terminal.Terminal{}, "x"), ""},
		{Shorten("short", 5), "short"},
		{Shorten("longer", 5), "long…"},
		{Shorten("日本語", 5), "日本…"},
		{Shorten("日本語", 4), "日…"},
		{Shorten("e\u0301tude", 3), "e\u0301t…"},
		{fmt.Sprint(Width("\x1b[31m日本\x1b[0m")), "4"},
		{Fold("one two three\n", 0), "one two three\n"},
		{Fold("one two three\nfour\n", 9), "one two\n  three\nfour\n"},
		{Fold("verdict     expire: pushed 40 days ago, limit 30 days", 40), "verdict     expire: pushed 40 days ago,\n            limit 30 days"},
		{Fold("image       sha256:0123456789012345678", 30), "image\n    sha256:0123456789012345678"},
		{Fold("0123456789 0123456789 a", 5), "0123456789\n0123456789\n  a"},
		{Reflow("a b\nc d\n\n  - x\n\ne\nf", 5), "a b c\nd\n\n  - x\n\ne f"},
	} {
		awstest.Equal(t, "text", test.want, test.got)
	}
}

func table() *Table {
	t := NewTable(Column{Name: "NAME"}, Column{Name: "SIZE", Number: true, Cut: 2}, Column{Name: "N", Number: true, Cut: 1, Style: terminal.Red}, Column{Name: "WHY"})
	t.Row("a", "1 GB", "0", "one\nline")
	t.Row("longer", "12 MB", "7", "")
	return t
}

func TestATableHasOneLineForEachRow(t *testing.T) {
	t.Parallel()
	want := "NAME     SIZE  N  WHY\na        1 GB  0  one?line\nlonger  12 MB  7\n"
	awstest.Equal(t, "table", want, table().Fit(terminal.Terminal{}, "-o json"))
	awstest.Equal(t, "wide enough", want, table().Fit(terminal.Terminal{Width: 26}, "-o json"))
	want = "\x1b[1mNAME     SIZE  N  WHY\x1b[0m\na        1 GB  0  one?line\nlonger  12 MB  \x1b[31m7\x1b[0m\n"
	awstest.Equal(t, "coloured", want, table().Fit(terminal.Terminal{Colour: true}, "-o json"))
}

func TestANarrowTableLosesColumnsAndThenLetters(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		25: "NAME    N  WHY\na       0  one?line\nlonger  7\n(not shown: SIZE; a wider\n  terminal or -o json\n  shows all)\n",
		13: "NAME   WHY\na      one?l…\nlong…\n(not shown:\n  SIZE, N; a\n  wider\n  terminal or\n  -o json\n  shows all)\n",
	} {
		awstest.Equal(t, "table", want, table().Fit(terminal.Terminal{Width: width}, "-o json"))
	}
}

func TestNamesAreShortenedInTheMiddle(t *testing.T) {
	t.Parallel()
	names := NewTable(Column{Middle: true})
	names.Row("team/payment-worker")
	names.Row("team/payment-server")
	names.Row("team/日本語日本語日本")
	got, _, _ := strings.Cut(names.Fit(terminal.Terminal{Width: 11}, "a pipe"), "(")
	awstest.Equal(t, "table", "team/…orker\nteam/…erver\nteam/日本…\n", got)
}

func TestNoLineOfATableIsWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	wide := NewTable(Column{Name: "NAME"}, Column{Name: "SIZE", Number: true, Cut: 1}, Column{Name: "WHY"})
	for range 3 {
		wide.Row(strings.Repeat("日本", 50), "12 MB", strings.Repeat("e\u0301 ", 50))
	}
	for width := 10; width < 200; width++ {
		for line := range strings.SplitSeq(wide.Fit(terminal.Terminal{Width: width, Colour: true}, "-o json"), "\n") {
			if Width(line) > width {
				t.Errorf("a line has %d cells, the terminal %d: %s", Width(line), width, line)
			}
		}
	}
}

// A narrow column is shown if it fits after a wide one was left out.
func TestANarrowColumnTakesThePlaceOfAWideOne(t *testing.T) {
	t.Parallel()
	wide := NewTable(Column{Name: "NAME"}, Column{Name: "TAG", Cut: 2}, Column{Name: "WHY", Cut: 1}, Column{Name: "END"})
	wide.Row("name", "v1", strings.Repeat("y", 30), "end")
	got, _, _ := strings.Cut(wide.Fit(terminal.Terminal{Width: 24}, "a pipe"), "(")
	awstest.Equal(t, "table", "NAME  TAG  END\nname  v1   end\n", got)
}

// What a column can be shortened to without a cut makes place for other columns.
func TestATableIsAbbreviatedOnlyIfItDoesNotFit(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	for width, want := range map[int]string{0: digest + "  x\n", 80: digest + "  x\n", 30: digest[:19] + "  x\n"} {
		table := NewTable(Column{Short: ShortDigest}, Column{Name: ""})
		table.Row(digest, "x")
		awstest.Equal(t, fmt.Sprint("at ", width), want, table.Fit(terminal.Terminal{Width: width}, "-o json"))
	}
}
