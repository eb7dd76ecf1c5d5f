// Package jsondoc reads the JSON documents that people write: lifecycle
// policies, configurations and requests. It is strict where encoding/json is
// lenient (unknown members, members that differ only in case, repeated
// members, nulls and fractions where integers are due), it reports every fault
// of a document at once, and it says of each where it stands, both as a path
// and as line and column.
//
// A caller parses the text once and then takes the [Value] it returns apart;
// each accessor records a [Problem] in the document when the value is not what
// the caller asked for. After the walk [Document.Problems] holds all of them.
//
// It also writes JSON text, in such a way that a terminal shows it as it is.
package jsondoc
