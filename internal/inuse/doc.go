// Package inuse finds out which images are used, and by what: it asks the
// services that run images and reads lists of references from elsewhere. It
// says what is referenced, not which image of a repository that is; only the
// registry's listing can tell what a tag means.
//
// Each [Source] is one place to ask. [Scope.Run] asks all of them and keeps every
// error, because a source that did not answer may have named any image: what
// it could have protected must not be removed.
package inuse
