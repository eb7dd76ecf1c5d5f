// Package scenario holds no code, only tests: what may never happen to a
// registry, told as registries before and after a run. The engine is put
// together as the programs do it and works through the real SDK on the embedded
// registry; only who uses an image is made up.
//
// A scenario draws a registry with one line for each image, says what the
// policy wants and who uses what, and lists what must have become of the
// images. Registries are also drawn at random, in great numbers, and judged by
// rules that share no code with the engine.
package scenario
