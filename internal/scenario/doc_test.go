// Package scenario has only tests of what a run must never do to a registry. It connects
// the engine like the programs do: through the SDK to the embedded registry. Only the
// in-use sources are fakes.
//
// A scenario draws a registry with one line for each image. It has the words of the
// policy, the images in use, and the expected outcome of each image. Other tests draw
// many registries at random and compare the results with a model that shares no code with
// the engine.
package scenario
