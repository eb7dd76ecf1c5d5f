// The tests run the cleaner against real API servers of Kubernetes, which they start on this
// machine, and against an embedded Amazon ECR. The module is separate, so that Kubernetes
// is no dependency of the cleaner.
package kubernetes_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// programs is the folder of the programs apiserver, ecrclean and kubectl.
var programs string

func TestMain(m *testing.M) {
	dir, err := filepath.Abs("../../dist/kubernetes") // stays, so that a later run need not link again
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, args := range [][]string{
		{"build", "-ldflags", "-s -w", "-o", dir + "/", "./apiserver", "k8s.io/kubernetes/cmd/kubectl"},
		{"build", "-C", "../..", "-o", dir + "/", "./cmd/ecrclean"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go %v: %v\n%s", args, err, out)
			os.Exit(1)
		}
	}
	programs = dir
	os.Exit(m.Run())
}
