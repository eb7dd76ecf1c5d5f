package fakeecr

import (
	"net/http"
	"time"
)

// A datedWriter sets the Date of answers to the time of the server's clock. Without it
// net/http sets the time of this machine.
type datedWriter struct {
	http.ResponseWriter
	now func() time.Time
}

// WriteHeader implements [http.ResponseWriter].
func (w datedWriter) WriteHeader(status int) {
	w.Header().Set("Date", w.now().UTC().Format(http.TimeFormat))
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the other writer to [http.ResponseController].
func (w datedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
