package main

import (
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/attachment"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/demo"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/inspect"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/policyfile"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/removal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/review"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/starter"
)

// A command makes a subcommand with its own flags. Its examples are whole command lines.
type command struct {
	make     func(*session.Flags) *cobra.Command
	examples []string
}

// A group is a part of the list of commands in the help.
type group struct {
	id, title string
	commands  []command
}

const other = "other" // the id of the last group

// groups are the groups of the help in their order, with all subcommands.
var groups = []group{
	{"look", "Look at a registry:", []command{
		{starter.Init, []string{
			"ecrclean init",
			"ecrclean init -r 'team/*' --out team.json",
			"ecrclean init --profile staging --region eu-west-1 --out - > staging.json",
		}},
		{removal.Plan, []string{
			"ecrclean plan -c cleaner.json",
			"ecrclean plan -c cleaner.json -r 'team/*,base' -o json",
			"ecrclean plan -c cleaner.json --out plan.json",
		}},
		{inspect.Explain, []string{
			"ecrclean explain team/app:v1",
			"ecrclean explain team/app sha256:3f1c5a0e77b2",
			"ecrclean explain 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1 -o json",
		}},
		{inspect.Policies, []string{
			"ecrclean policies -c cleaner.json",
			"ecrclean policies -c cleaner.json -r 'team/*'",
			"ecrclean policies -c ssm:/cleaner/configuration -o json",
		}},
		{inspect.References, []string{
			"ecrclean references -c cleaner.json",
			"ecrclean references -c cleaner.json --out references.json",
			"ecrclean references -c cleaner.json --profile staging --out s3://my-bucket/staging.json",
		}},
		{review.Show, []string{
			"ecrclean show plan.json",
			"ecrclean show report.json -o wide",
			"aws logs filter-log-events --log-group-name /aws/lambda/ecr-cleaner | ecrclean show -",
		}},
		{review.Diff, []string{
			"ecrclean diff yesterday.json today.json",
			"ecrclean diff plan.json -c cleaner.json",
			"ecrclean diff plan.json --policy stricter.json -r 'team/*' --detailed-exitcode -o json",
		}},
		{inspect.Audit, []string{
			"ecrclean audit removed.log",
			"ecrclean audit removed.log --run last -o json",
			"aws logs filter-log-events --log-group-name /aws/lambda/ecr-cleaner | ecrclean audit -",
		}},
	}},
	{"change", "Change a registry:", []command{
		{removal.Apply, []string{
			"ecrclean apply -c cleaner.json -r team/app",
			"ecrclean apply plan.json -c cleaner.json",
			"ecrclean apply -c cleaner.json --yes --max-deletions 500 --log removed.log",
		}},
		{removal.Delete, []string{
			"ecrclean delete team/app:v1",
			"ecrclean delete team/app v1 sha256:3f1c5a0e77b2 --yes",
			"ecrclean delete team/app --tags 'pr-123-*' --older-than 30d --keep-newest 10",
		}},
		{attachment.Attach, []string{
			"ecrclean attach --policy policy.json -r 'team/*'",
			"ecrclean attach -c cleaner.json",
			"ecrclean attach --detach -r team/app",
		}},
	}},
	{"fleet", "Many accounts and Regions:", []command{
		{fleet.Command, []string{
			"ecrclean fleet plan -c cleaner.json",
			"ecrclean fleet apply --targets '222222222222/*'",
			"ecrclean fleet status",
		}},
	}},
	{"policies", "Work on policies:", []command{
		{policyfile.Check, []string{
			"ecrclean check policy.json -r 'team/*'",
			"ecrclean check main.tf cdk.out",
			"ecrclean check -c cleaner.json -o json",
		}},
		{policyfile.Preview, []string{
			"ecrclean preview --policy policy.json --images images.json",
			"aws ecr describe-images --repository-name team/app | ecrclean preview --policy policy.json --images -",
			"ecrclean preview --policy policy.json --images images.json --now 2027-01-01T00:00:00Z -o json",
		}},
		{policyfile.Convert, []string{
			"ecrclean convert extended.json",
			"ecrclean convert extended.json > policy.json",
			"ecrclean convert < extended.json",
		}},
		{attachment.Adopt, []string{
			"ecrclean adopt",
			"ecrclean adopt -r 'team/*' --out cleaner.json",
			"ecrclean adopt -c cleaner.json --out cleaner.json --detach",
		}},
	}},
	{other, "Other commands:", []command{
		{demo.Command, []string{
			"ecrclean demo",
			"ecrclean demo | less",
			"ecrclean demo > demo.txt",
		}},
		{removal.Invoke, []string{
			"ecrclean invoke event.json -c cleaner.json",
			"echo '{}' | ecrclean invoke - -c cleaner.json",
			"ecrclean invoke event.json -c ssm:/cleaner/configuration -o table",
		}},
		{inspect.KubernetesRole, []string{
			"ecrclean kubernetes-role",
			"ecrclean kubernetes-role | kubectl apply -f -",
			"ecrclean kubernetes-role cronworkflows.argoproj.io rollouts.argoproj.io",
		}},
		{version, []string{
			"ecrclean version",
			"ecrclean version > version.txt",
			"ecrclean version | grep modified",
		}},
	}},
}
