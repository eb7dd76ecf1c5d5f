package eks

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

const (
	bind  = "then give its group the ClusterRole: ecrclean kubernetes-role | kubectl apply -f -"
	leave = "or leave it out with protect.eksClusters, and name a list of its images in protect.references"
)

// explain returns what to do after an answer with that status, or without one if it is 0.
func (s source) explain(c cluster, status int) string {
	vpc := c.ResourcesVPCConfig
	switch {
	case status == http.StatusUnauthorized:
		return s.access(c) + "; " + bind
	case status == http.StatusForbidden:
		return "check that the access entry of the caller, or its entry in the ConfigMap aws-auth, has the group ecr-cleaner"
	case vpc.EndpointPublicAccess != nil && !*vpc.EndpointPublicAccess:
		return "its endpoint is private: set the parameters SubnetIds and SecurityGroupIds of template.yaml, " +
			"which connect the function to a VPC, and let them reach port 443 of the cluster; " + leave
	case len(vpc.PublicAccessCIDRs) > 0 && !slices.Contains(vpc.PublicAccessCIDRs, "0.0.0.0/0"):
		return "its public endpoint admits only " + strings.Join(vpc.PublicAccessCIDRs, ", ") +
			": run the cleaner from such an address or in the VPC of the cluster; " + leave
	}
	return "check the network; " + leave
}

// access says how to give the caller access to the cluster. The ARN of an access entry has
// the path of a role; the ConfigMap aws-auth and the session of a role have none.
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
func (s source) access(c cluster) string {
	caller := s.caller()
	arn := caller.ARN()
	if c.AccessConfig.AuthenticationMode == "CONFIG_MAP" {
		list, key := "mapRoles", "rolearn"
		if caller.Kind == "user" {
			list, key = "mapUsers", "userarn"
		}
		return fmt.Sprintf("add to %s in the ConfigMap aws-auth in kube-system: "+
			"- {%s: %s, username: ecr-cleaner, groups: [ecr-cleaner]}", list, key, arn)
	}
	command := fmt.Sprintf("create an access entry: aws eks create-access-entry --cluster-name %s "+
		"--principal-arn %s --kubernetes-groups ecr-cleaner", c.Name, arn)
	if caller.Kind == "role" {
		command += " (with the path of the role, if it has one)"
	}
	return command
}

const maxCallerWait = 10 * time.Second // in a VPC without an endpoint of STS there is no answer

// principal returns the caller, or a placeholder if it is not known.
func principal(cfg aws.Config) awsclient.Principal {
	ctx, cancel := context.WithTimeout(context.Background(), maxCallerWait)
	defer cancel()
	caller, err := awsclient.Caller(ctx, cfg)
	if err != nil {
		return awsclient.Principal{Partition: "aws", Account: "ACCOUNT", Kind: "role", Name: "ROLE"}
	}
	return caller
}
