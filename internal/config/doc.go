// Package config holds what a person asks of the cleaner: the configuration
// document, and the request that one run may add to it. It parses both
// strictly, reports all their faults at once, and fills in the defaults. It
// reads no file and no environment; texts come in as bytes.
//
// A configuration says what may be removed, a request narrows that for one run
// and, apart from the mode, never widens it.
package config
