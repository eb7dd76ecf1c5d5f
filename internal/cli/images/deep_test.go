package images

import (
	"strings"
	"testing"
)

// What lies too deep in itself is an error and not the end of the process.
func TestAFileOfImagesMayNotBeTooDeep(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("[", 5_000_000), `{"imageDetails": ` + strings.Repeat(`{"a":`, 1_000_000)} {
		if _, err := Parse([]byte(text)); err == nil || len(err.Error()) > 1_000 {
			t.Errorf("%.30s…: %.300v", text, err)
		}
	}
}
