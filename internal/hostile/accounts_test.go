package hostile_test

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

const (
	accountB = "222222222222"
	accountC = "333333333333"
	// prefix is the name of the source of the lists of all accounts.
	prefix      = "s3://lists/all/"
	otherRegion = "us-east-1"
)

// A member is an account that a configuration names, with the Regions and services.
type member struct {
	id                string
	regions, services []string
}

// drawPlaces draws what an entry asks in other Regions and accounts, and adds the names of
// these sources. The registry's own account may be asked through a role.
func (r *reliance) drawPlaces(random *rand.Rand) {
	var services []string
	for _, name := range r.sources {
		if name != list && name != config.KubeconfigSource {
			services = append(services, name)
		}
	}
	if len(services) > 0 && random.IntN(5) == 0 {
		r.regions = []string{otherRegion}
		for _, service := range services {
			r.sources = append(r.sources, service+"@"+otherRegion)
		}
	}
	for _, id := range []string{accountB, accountC, account} {
		if random.IntN(2) == 0 || id == account && random.IntN(6) > 0 {
			continue
		}
		m := member{id, pick(random, []string{region}, []string{otherRegion, region}), pick(random, []string{"ecs"}, []string{"ecs", "eks"})}
		r.accounts = append(r.accounts, m)
		for _, in := range m.regions {
			for _, service := range m.services {
				r.sources = append(r.sources, service+"@"+id+"/"+in)
			}
		}
	}
	if random.IntN(3) == 0 {
		r.expect = pick(random, []string{accountB + "/" + region}, []string{accountB + "/" + region, accountC + "/" + region})
		r.sources = append(r.sources, prefix)
		for _, place := range r.expect {
			r.sources = append(r.sources, prefix+place)
		}
	}
}

// places returns the members of protect about other places.
func (r reliance) places() map[string]any {
	accounts := []any{}
	for _, m := range r.accounts {
		accounts = append(accounts, map[string]any{"roleArn": "arn:aws:iam::" + m.id + ":role/member", "regions": m.regions, "inUse": m.services})
	}
	return map[string]any{"regions": append([]string{}, r.regions...), "accounts": accounts, "expect": append([]string{}, r.expect...)}
}

// accountOf returns the account that a source with the name asks, or "" if it asks the
// registry's or several.
func accountOf(name string) string {
	_, place, _ := strings.Cut(name, "@")
	if below, isList := strings.CutPrefix(name, prefix); isList {
		place = below
	}
	id, _, isAccount := strings.Cut(place, "/")
	if !isAccount {
		return ""
	}
	return id
}

// A failing says in which scans of a run a source fails, and after how many uses.
type failing struct {
	scans    string // all, first or later
	after    int
	accounts []string // of the prefix: for which it fails; nil is all
}

// drawFailing draws which sources in other places fail.
func (s *settings) drawFailing(random *rand.Rand) {
	s.failing = map[string]failing{}
	names := slices.Clone(s.general.sources)
	for _, own := range s.own {
		names = append(names, own.sources...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		isElsewhere := strings.Contains(name, "@") || strings.HasPrefix(name, prefix)
		if !isElsewhere || random.IntN(4) > 0 || !s.isForeign(name) && random.IntN(4) > 0 {
			continue
		}
		f := failing{scans: pick(random, "all", "all", "first", "later"), after: pick(random, 0, 0, 1, 100)}
		if name == prefix {
			f.accounts = pick(random, nil, []string{accountB}, []string{accountC}, []string{accountB, accountC})
		}
		s.failing[name] = f
	}
}

func (*settings) isForeign(name string) bool {
	return name == prefix || accountOf(name) != "" && accountOf(name) != account
}

// fails reports whether the source fails in the scan with that number, from 0.
func (p failing) fails(scan int) bool {
	return p.scans == "all" || p.scans == "first" && scan == 0 || p.scans == "later" && scan > 0
}

// An admission is a resource policy, and the accounts that it may let pull; "*" is any.
type admission struct {
	name, text string
	admits     []string
}

func statement(rest string) string { return `{"Version": "2012-10-17", "Statement": [{` + rest + `}]}` }

const pull = `"Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], `

var admissions = []admission{
	{"one account", statement(`"Effect": "Allow", ` + pull + `"Principal": {"AWS": "arn:aws:iam::222222222222:root"}`), []string{accountB}},
	{"two accounts", statement(`"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": ["222222222222", "arn:aws:iam::333333333333:role/x"]}`), []string{accountB, accountC}},
	{"another account", statement(`"Effect": "Allow", ` + pull + `"Principal": {"AWS": "444444444444"}`), nil},
	{"everyone", statement(`"Effect": "Allow", ` + pull + `"Principal": "*"`), []string{"*"}},
	{"organization", statement(`"Effect": "Allow", ` + pull + `"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}`), []string{"*"}},
	{"service", statement(`"Effect": "Allow", ` + pull + `"Principal": {"Service": "lambda.amazonaws.com"}`), []string{"*"}},
	{"all but one", statement(`"Effect": "Allow", ` + pull + `"NotPrincipal": {"AWS": "222222222222"}`), []string{"*"}},
	{"no pull", statement(`"Effect": "Allow", "Action": "ecr:PutImage", "Principal": "*"`), nil},
	{"deny", statement(`"Effect": "Deny", ` + pull + `"Principal": "*"`), nil},
	{"unreadable", `{"Statement": `, []string{"*"}},
	{"denied", "", []string{"*"}}, // a call for the policy is refused
}

// drawAdmissions gives the repositories and the registry, which is "", a resource policy or none.
func (f *fixture) drawAdmissions(random *rand.Rand) {
	f.admissions = map[string]admission{}
	for i, repo := range append([]string{""}, f.repositories...) {
		if random.IntN(4) == 0 || i == 0 && random.IntN(2) == 0 {
			continue
		}
		a := pick(random, admissions...)
		if random.IntN(2) == 0 {
			a = pick(random, admissions[0], admissions[2])
		}
		f.admissions[repo] = a
		f.tally.note("policy: " + a.name)
		f.notef("policy of %q: %s", repo, a.name)
		if repo == "" {
			f.server.SetRegistryPolicy(a.text)
		} else {
			f.server.SetRepositoryPolicy(repo, a.text)
		}
	}
}

// admits reports whether a policy may let the account pull from the repository.
func (f *fixture) admits(repo, id string) bool {
	admitted := slices.Concat(f.admissions[repo].admits, f.admissions[""].admits)
	return slices.Contains(admitted, id) || slices.Contains(admitted, "*")
}

// remember notes the uses of a scan by their account, for the rest of the run.
func (f *fixture) remember(s *scan) {
	for name, r := range s.replies {
		for _, u := range r.by {
			id := accountOf(name)
			if id == "" {
				id = u.account
			}
			if id != "" && u.kind != aFinding {
				f.namedBy[id] = append(f.namedBy[id], *u)
			}
		}
	}
}

// hasNamed reports whether the account ever used an image of the repository in this run.
func (f *fixture) hasNamed(id, repo string, listing map[string]imageOf) bool {
	return slices.ContainsFunc(f.namedBy[id], func(u use) bool {
		_, listed := listing[u.digest]
		return u.kind != ofAnywhere && u.repo == repo || u.kind == ofAnywhere && listed
	})
}

// failedFor returns the accounts for which the source failed; "" is the registry's own.
func (f *fixture) failedFor(name string, r *reply) []string {
	id := accountOf(name)
	if id == account {
		id = ""
	}
	switch {
	case r.ok && (r.named > 0 || f.most[name] == 0):
		return nil
	case !r.ok && r.accounts != nil:
		return r.accounts
	}
	return []string{id}
}

// kept says why a failed source keeps every image of the repository, or returns "".
func (f *fixture) kept(s *scan, repo string, listing map[string]imageOf) (why string) {
	for name, accounts := range f.failures(s, repo) {
		for _, id := range accounts {
			switch {
			case id == "" && s.replies[name].ok:
				return name + " names nothing, and it named something before"
			case id == "":
				return name + " failed"
			case f.admits(repo, id):
				return "a source of account " + id + " failed, which a policy may admit"
			case f.hasNamed(id, repo, listing):
				return "a source of account " + id + " failed, which named an image here"
			}
		}
	}
	return ""
}

// failures returns the sources of the repository that failed in the scan, with the accounts.
func (f *fixture) failures(s *scan, repo string) map[string][]string {
	failed := map[string][]string{}
	for _, name := range f.relianceOf(repo).sources {
		if r := s.replies[name]; r != nil {
			if accounts := f.failedFor(name, r); accounts != nil {
				failed[name] = accounts
			}
		}
	}
	return failed
}
