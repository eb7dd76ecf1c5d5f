// Package organization lists the accounts of an AWS organization, and which Regions an
// account has disabled. A listing that is not complete is an error.
package organization

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions of the role that lists the accounts. The last two are only
// necessary if the configuration names units.
var Actions = []string{
	"organizations:DescribeOrganization", "organizations:ListAccounts",
	"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent",
}

// An Organization has all accounts of an AWS organization.
type Organization struct {
	ID       string
	Accounts []Account
	// InUnits has the accounts in the units, or all accounts if no unit was given.
	InUnits map[string]bool
}

// An Account is an account in any state.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
type Account struct {
	ID, State string
	// Status is the old field, which AWS retires. It is used if State is missing.
	Status string
}

// Unusable returns the state of an account in which nothing can run, or "". An unknown
// state is usable, so that the fleet asks the account.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
func (a Account) Unusable() string {
	if slices.Contains([]string{"SUSPENDED", "CLOSED", "PENDING_ACTIVATION"}, a.State) {
		return a.State
	}
	return ""
}

// Known reports whether AWS documents the state.
func (a Account) Known() bool {
	return a.Unusable() != "" || a.State == "ACTIVE" || a.State == "PENDING_CLOSURE"
}

type lister struct {
	api   awsclient.Service
	found map[string]bool // accounts in the units
	seen  map[string]bool // units
}

// List lists the accounts with the credentials of cfg, and walks the units and all units
// below them. Accounts come from one listing: a walk would miss one that moves meanwhile.
func List(ctx context.Context, cfg aws.Config, clock func() time.Time, units []string) (Organization, error) {
	l := lister{api: global(cfg, "organizations", "Organizations", clock), found: map[string]bool{}, seen: map[string]bool{}}
	var out struct {
		Organization struct {
			ID string `json:"Id"`
		}
	}
	if err := l.post(ctx, "DescribeOrganization", input{}, &out); err != nil {
		return Organization{}, explain("describe organization", err)
	}
	o := Organization{ID: out.Organization.ID, InUnits: l.found}
	if !strings.HasPrefix(o.ID, "o-") {
		return o, fmt.Errorf("describe organization: the answer has the id %q; check the endpoint", o.ID)
	}
	for _, unit := range units { // before the accounts, so that these have each account in a unit
		if err := l.walk(ctx, unit, nil); err != nil {
			return Organization{}, err
		}
	}
	var err error
	if o.Accounts, err = l.accounts(ctx, "ListAccounts", ""); err != nil {
		return Organization{}, explain("list accounts", err)
	}
	listed := map[string]bool{}
	for _, a := range o.Accounts {
		if listed[a.ID] {
			return Organization{}, fmt.Errorf("list accounts: account %s is there twice; run again", a.ID)
		}
		listed[a.ID] = true
	}
	for id := range l.found {
		if !listed[id] {
			return Organization{}, fmt.Errorf("list accounts: account %s of a unit is missing; run again", id)
		}
	}
	if len(units) == 0 {
		o.InUnits = listed
	}
	return o, nil
}

// walk adds the accounts of the unit and of those below it.
func (l lister) walk(ctx context.Context, unit string, above []string) error {
	doing := "list the accounts of unit " + unit
	switch {
	case slices.Contains(above, unit):
		return fmt.Errorf("%s: it is below itself; check the endpoint", doing)
	case l.seen[unit]:
		return nil // the configuration names a unit above it too
	}
	l.seen[unit] = true
	accounts, err := l.accounts(ctx, "ListAccountsForParent", unit)
	switch {
	case query.HasCode(err, "ParentNotFoundException"):
		return fmt.Errorf("%s: the organization has no such unit; correct organization.units", doing)
	case err != nil:
		return explain(doing, err)
	}
	for _, a := range accounts {
		if l.found[a.ID] {
			return fmt.Errorf("%s: account %s is in another unit too; run again", doing, a.ID)
		}
		l.found[a.ID] = true
	}
	below, err := query.List(func(token *string) (out page, err error) {
		err = l.post(ctx, "ListOrganizationalUnitsForParent", input{unit, token}, &out)
		return out, err
	}, func(p page) ([]item, *string) { return p.OrganizationalUnits, p.NextToken })
	if err != nil {
		return explain("list the units of unit "+unit, err)
	}
	for _, u := range below {
		if u.ID == "" {
			return fmt.Errorf("list the units of unit %s: the answer has a unit without an id; check the endpoint", unit)
		}
		if err := l.walk(ctx, u.ID, append(above, unit)); err != nil {
			return err
		}
	}
	return nil
}

type input struct {
	ParentID  string  `json:"ParentId,omitempty"`
	NextToken *string `json:",omitempty"`
}

// A page may be empty and have a token.
type page struct {
	Accounts, OrganizationalUnits []item
	NextToken                     *string
}

type item struct {
	ID            string `json:"Id"`
	State, Status string
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

func (l lister) accounts(ctx context.Context, operation, parent string) ([]Account, error) {
	items, err := query.List(func(token *string) (out page, err error) {
		err = l.post(ctx, operation, input{parent, token}, &out)
		return out, err
	}, func(p page) ([]item, *string) { return p.Accounts, p.NextToken })
	accounts := make([]Account, len(items))
	for i, a := range items {
		if !accountID.MatchString(a.ID) {
			return nil, fmt.Errorf("the answer has an account with the id %q; check the endpoint", a.ID)
		}
		if a.State == "" {
			a.State = a.Status
		}
		accounts[i] = Account(a)
	}
	return accounts, err
}

func (l lister) post(ctx context.Context, operation string, in input, out any) error {
	return l.api.Post(ctx, "AWSOrganizationsV20161128."+operation, "1.1", in, out)
}

func explain(doing string, err error) error {
	action, denied := query.Denied(err)
	switch {
	case denied:
		return fmt.Errorf("%s: %w; allow %s to the role in organization.roleArn, which must be in the management account "+
			"or in a delegated administrator", doing, err, action)
	case query.HasCode(err, "AWSOrganizationsNotInUseException"):
		return fmt.Errorf("%s: %w; set organization.roleArn to a role in the management account", doing, err)
	case awsclient.IsThrottled(err), awsclient.IsFault(err):
		return fmt.Errorf("%s: %w; run again later", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// global returns a service that each partition has in one Region.
// https://docs.aws.amazon.com/general/latest/gr/ao.html
func global(cfg aws.Config, name, sdkID string, clock func() time.Time) awsclient.Service {
	region := "us-east-1"
	for _, p := range [][2]string{
		{"cn-", "cn-northwest-1"},
		{"us-gov-", "us-gov-west-1"},
		{"us-iso-", "us-iso-east-1"},
		{"us-isob-", "us-isob-east-1"},
		{"eu-isoe-", "eu-isoe-west-1"},
		{"us-isof-", "us-isof-south-1"},
	} {
		if strings.HasPrefix(cfg.Region, p[0]) {
			region = p[1]
		}
	}
	cfg.Region = region
	return awsclient.Service{Config: cfg, Name: name, SDKID: sdkID, Clock: clock}
}

var errNoRegion = errors.New("the answer has a Region without a name or a status; check the endpoint")
