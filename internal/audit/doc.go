// Package audit reads the log of the function and says what its runs removed.
// A run writes a line with the message intent for each image right before the
// call that removes it, and one with the message image when the outcome is known;
// an intent without an outcome means that the process died in between.
//
// Read takes the log as it comes: with lines of other programs, with text before
// the JSON object, and wrapped as CloudWatch Logs and its clients export it, where
// the line stands in the member message, @message or value of another object.
package audit
