package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// cmdJSON compares one place of a JSON file with a text. A path has the names
// and indexes that lead to the place, separated by dots; a last len stands for
// the length of an array, a last keys for the sorted names of an object. A string
// is compared as it is, anything else as JSON. Negated, the place must not be.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if (neg && len(args) != 2) || (!neg && len(args) != 3) {
		ts.Fatalf("usage: json FILE PATH WANT, or ! json FILE PATH")
	}
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	decoder.UseNumber()
	var document any
	ts.Check(decoder.Decode(&document))
	if decoder.More() {
		ts.Fatalf("%s holds more than one JSON document", args[0])
	}
	value, err := lookUp(document, args[1])
	switch {
	case neg && err == nil:
		ts.Fatalf("%s is there: %s", args[1], textOf(value))
	case neg:
	case err != nil:
		ts.Fatalf("%s: %v", args[1], err)
	case textOf(value) != args[2]:
		ts.Fatalf("%s is %s, want %s", args[1], textOf(value), args[2])
	}
}

var errAbsent = errors.New("is not there")

func lookUp(value any, path string) (any, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			if step == "keys" {
				value = strings.Join(slices.Sorted(maps.Keys(v)), " ")
				continue
			}
			member, found := v[step]
			if !found {
				return nil, errAbsent
			}
			value = member
		case []any:
			if step == "len" {
				value = json.Number(strconv.Itoa(len(v)))
				continue
			}
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil, errAbsent
			}
			value = v[i]
		default:
			return nil, errAbsent
		}
	}
	return value, nil
}

func textOf(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	var document any
	awstest.NoError(t, json.Unmarshal([]byte(`{"a": [{"b": "x"}, 2], "c": {}}`), &document))
	for path, want := range map[string]string{
		"a.0.b": "x", "a.1": "2", "a.len": "2", "keys": "a c", "c.keys": "", "a": `[{"b":"x"},2]`,
	} {
		value, err := lookUp(document, path)
		if got := textOf(value); err != nil || got != want {
			t.Errorf("lookUp(%s) = %s, %v; want %s", path, got, err, want)
		}
	}
	for _, path := range []string{"d", "a.2", "a.-1", "a.b", "a.1.x"} {
		if value, err := lookUp(document, path); err == nil {
			t.Errorf("lookUp(%s) = %s; want an error", path, textOf(value))
		}
	}
}

// cmdGarbage fills a file with that many random bytes, or with that many times the character.
func cmdGarbage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: garbage FILE BYTES [CHARACTER]")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	var source io.Reader = rand.NewChaCha8([32]byte{})
	if len(args) > 2 {
		source = endless(args[2][0])
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = io.CopyN(w, source, size)
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		ts.Check(fmt.Errorf("garbage: %w", err))
	}
}

// cmdEncode writes files again with a byte order mark, as Windows PowerShell does.
func cmdEncode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: encode utf-8|utf-16le|utf-16be FILE...")
	}
	for _, name := range args[1:] {
		text := "\ufeff" + ts.ReadFile(name)
		content := []byte(text)
		if args[0] != "utf-8" {
			var order binary.AppendByteOrder = binary.LittleEndian
			if args[0] == "utf-16be" {
				order = binary.BigEndian
			}
			content = nil
			for _, unit := range utf16.Encode([]rune(text)) {
				content = order.AppendUint16(content, unit)
			}
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600))
	}
}

// An endless reader reads the same byte again and again.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}
