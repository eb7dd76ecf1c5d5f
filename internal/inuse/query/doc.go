// Package query makes the calls of the in-use sources: several at a time, page after page.
// It turns a failed call into an error that says what to do, such as which IAM action to
// allow.
package query
