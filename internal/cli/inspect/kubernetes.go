package inspect

import (
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
)

// KubernetesRole returns the command kubernetes-role.
func KubernetesRole(f *session.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "kubernetes-role [KIND...]",
		Short: "Print the ClusterRole that the cleaner needs in a cluster",
		Long: `Print a ClusterRole with the rights that the cleaner needs in a Kubernetes cluster, and a
binding of it to the group ecr-cleaner. The role allows listing the built-in kinds that
run containers, and each KIND of custom resources, such as cronworkflows.argoproj.io.
Apply it, and give the group to the cleaner with an EKS access entry:

  ecrclean kubernetes-role | kubectl apply -f -
  aws eks create-access-entry --cluster-name NAME --principal-arn ROLE_ARN \
    --kubernetes-groups ecr-cleaner`,
		Args: session.Args(0, math.MaxInt, "kinds of custom resources"),
		RunE: func(_ *cobra.Command, kinds []string) error {
			text, err := kubernetes.RoleYAML(kinds)
			if err != nil {
				return exit.Usagef("%w", err)
			}
			if _, err := io.WriteString(f.Stdout, text); err != nil {
				return exit.Failuref("write the ClusterRole: %w", err)
			}
			return nil
		},
	}
}
