package fakeecr

import (
	"net/http"
	"time"
)

// A datedWriter writes answers that carry the time of the clock as their Date.
// Without it net/http would write the time of this machine.
type datedWriter struct {
	http.ResponseWriter
	now func() time.Time
}

// WriteHeader sets the Date and writes the header.
func (w datedWriter) WriteHeader(status int) {
	w.Header().Set("Date", w.now().UTC().Format(http.TimeFormat))
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the writer below, for http.ResponseController.
func (w datedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
