package awsclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// A Principal is the owner of credentials. A role is without its path, as in session ARNs.
type Principal struct {
	Partition string // aws, aws-cn and the like
	Account   string
	Kind      string // role, user, root or federated-user
	Name      string
}

// Caller returns the principal of the credentials in cfg.
func Caller(ctx context.Context, cfg aws.Config) (Principal, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Principal{}, fmt.Errorf("get caller identity: %w", err)
	}
	return ParsePrincipal(aws.ToString(out.Arn))
}

// ARN returns the ARN of the principal.
func (p Principal) ARN() string {
	service, resource := "iam", p.Kind+"/"+p.Name
	switch p.Kind {
	case "root":
		resource = "root"
	case "federated-user":
		service = "sts"
	}
	return "arn:" + p.Partition + ":" + service + "::" + p.Account + ":" + resource
}

// ParsePrincipal reads the ARN of a principal or of a session of a role.
func ParsePrincipal(arn string) (Principal, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return Principal{}, fmt.Errorf("%q is not an ARN", arn)
	}
	names := strings.Split(parts[5], "/")
	if names[0] == "assumed-role" && len(names) > 1 {
		return Principal{parts[1], parts[4], "role", names[1]}, nil
	}
	return Principal{parts[1], parts[4], names[0], names[len(names)-1]}, nil
}
