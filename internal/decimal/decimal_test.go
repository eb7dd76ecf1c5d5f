package decimal_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

func TestNumbersAreReadExactlyOrRefused(t *testing.T) {
	t.Parallel()
	const refused = "refused"
	for text, want := range map[string]struct{ integer, nanoseconds string }{
		"0":                      {"0", "0"},
		"-0":                     {"0", "0"},
		"-0.0e5":                 {"0", "0"},
		"7":                      {"7", "7000000000"},
		"1.0":                    {"1", "1000000000"},
		"1e1":                    {"10", "10000000000"},
		"1E+1":                   {"10", "10000000000"},
		"100e-2":                 {"1", "1000000000"},
		"1.5":                    {refused, "1500000000"},
		"1.5e8":                  {"150000000", "150000000000000000"},
		"1.772215200512E9":       {refused, "1772215200512000000"},
		"1772215200.512":         {refused, "1772215200512000000"},
		"1772215200.1234567899":  {refused, "1772215200123456789"},
		"-0.5":                   {refused, "-500000000"},
		"-1.0000000009":          {refused, "-1000000000"},
		"0.0000000001":           {refused, "0"},
		"1e-400":                 {refused, "0"},
		"0e400":                  {"0", "0"},
		"0e99999999999999999999": {"0", "0"},
		"1e400":                  {refused, refused},
		"1e99999999999999999999": {refused, refused},
		"9223372036.854775807":   {refused, "9223372036854775807"},
		"9223372036.854775808":   {refused, refused},
		"-9223372036.854775808":  {refused, "-9223372036854775808"},
		"9223372036854775807":    {"9223372036854775807", refused},
		"9223372036854775808":    {refused, refused},
		"-9223372036854775808":   {"-9223372036854775808", refused},
		"-9223372036854775809":   {refused, refused},
		"92233720368547758070":   {refused, refused},
		"0.92233720368547758070000000000000000000000000e19":                               {"9223372036854775807", refused},
		"1" + strings.Repeat("0", 400) + "e-400":                                          {"1", "1000000000"},
		"0." + strings.Repeat("0", 400) + "1e401":                                         {"1", "1000000000"},
		"1" + strings.Repeat("0", 400) + ".0000001e-400":                                  {refused, "1000000000"},
		"18446744073.7095516159999":                                                       {refused, refused},
		"1.844674407370955161599999999999999999999999999999999999999999999999999999999e9": {refused, "1844674407370955161"},
	} {
		n, ok := decimal.Parse(text)
		if !ok || !json.Valid([]byte(text)) {
			t.Errorf("%s is no number", text)
		}
		word := func(value int64, ok bool) string {
			if !ok {
				return refused
			}
			return fmt.Sprint(value)
		}
		if got := word(n.Int()); got != want.integer {
			t.Errorf("%s: Int %s, want %s", text, got, want.integer)
		}
		if got := word(n.Nanoseconds()); got != want.nanoseconds {
			t.Errorf("%s: Nanoseconds %s, want %s", text, got, want.nanoseconds)
		}
	}
}

func TestWhatIsNoJSONNumberIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", "+1", ".5", "1.", "1.e5", "01", "-01", "00", "1e", "1e+", "1e-", "0x10", "1_000", "1,5", " 1", "1 ", "1f", "NaN", "Infinity", "--1", "1e1.5", "1.5.5", "١",
	} {
		if _, ok := decimal.Parse(text); ok || json.Valid([]byte(text)) && !strings.Contains(text, " ") {
			t.Errorf("%q is a number", text)
		}
	}
	if _, length := decimal.Scan([]byte("1.50,2")); length != 4 {
		t.Errorf("the number at the start of a text has %d bytes, want 4", length)
	}
}

// wantExact compares the result with that of math/big.
func wantExact(t *testing.T, text string) {
	t.Helper()
	n, ok := decimal.Parse(text)
	if valid := json.Valid([]byte(text)) && strings.Trim(text, " \t\r\n") == text && strings.ContainsAny(text[:1], "-0123456789"); ok != valid {
		t.Fatalf("%q: Parse %t, valid %t", text, ok, valid)
	}
	if exponent := strings.LastIndexAny(text, "eE"); !ok || exponent >= 0 && len(text)-exponent > 6 {
		return // big takes too long
	}
	exact, _ := new(big.Rat).SetString(text)
	integer, isInteger := n.Int()
	if want := exact.IsInt() && exact.Num().IsInt64(); isInteger != want || want && integer != exact.Num().Int64() {
		t.Errorf("%s: Int %d, %t, want %s, %t", text, integer, isInteger, exact.Num(), want)
	}
	exact.Mul(exact, big.NewRat(1e9, 1))
	cut := new(big.Int).Quo(exact.Num(), exact.Denom())
	nanoseconds, held := n.Nanoseconds()
	if held != cut.IsInt64() || held && nanoseconds != cut.Int64() {
		t.Errorf("%s: Nanoseconds %d, %t, want %s", text, nanoseconds, held, cut)
	}
}

// TestRandomSpellings reads random numbers in random spellings.
func TestRandomSpellings(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("0123456789000999"[random.IntN(16)])
		}
		return b.String()
	}
	for range 100_000 {
		text := []string{"", "-"}[random.IntN(2)]
		if whole := strings.TrimLeft(digits(random.IntN(25)), "0"); whole == "" {
			text += "0"
		} else {
			text += whole
		}
		if random.IntN(2) == 0 {
			text += "." + digits(1+random.IntN(30))
		}
		if random.IntN(2) == 0 {
			text += []string{"e", "E"}[random.IntN(2)] + []string{"", "+", "-"}[random.IntN(3)] + []string{"", "0"}[random.IntN(2)] + fmt.Sprint(random.IntN(30))
		}
		wantExact(t, text)
	}
}

func FuzzNumber(f *testing.F) {
	for _, text := range []string{"0", "-1.5e8", "1772215200.512", "1.772215200512E9", "1e400", "01", "9223372036854775808"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text != "" {
			wantExact(t, text)
		}
	})
}
