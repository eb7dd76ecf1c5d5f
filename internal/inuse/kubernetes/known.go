package kubernetes

// known are kinds of custom resources that name images, in the order of their groups. Most
// run nothing by themselves: no object of a built-in kind names the image until they do.
var known = []string{
	"scaledjobs.keda.sh",
}
