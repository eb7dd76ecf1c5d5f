// Command lambdazip packs a Lambda function's bootstrap into a zip. The entry has a fixed
// name, timestamp and mode, so that equal binaries give equal zips.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: lambdazip BOOTSTRAP ZIP")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "lambdazip:", err)
		os.Exit(1)
	}
}

func run(bootstrap, target string) error {
	binary, err := os.ReadFile(bootstrap)
	if err != nil {
		return err
	}
	packed, err := pack(binary)
	if err != nil {
		return fmt.Errorf("pack %s: %w", bootstrap, err)
	}
	if err := os.WriteFile(target, packed, 0o644); err != nil {
		return err
	}
	fmt.Printf("bootstrap   %d bytes\nzip         %d bytes\nsha256      %x\n",
		len(binary), len(packed), sha256.Sum256(packed))
	return nil
}

func pack(binary []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	header := &zip.FileHeader{
		Name:     "bootstrap",
		Method:   zip.Deflate,
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
	}
	header.SetMode(0o755)
	entry, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := entry.Write(binary); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
