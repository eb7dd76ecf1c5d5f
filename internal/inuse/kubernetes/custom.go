package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// customResources reads the objects of every selected kind that the cleaner may list. The
// ClusterRole decides: a kind that it does not allow is a finding, not an error.
func (s *scan) customResources(ctx context.Context) error {
	kinds, down, err := s.discover(ctx)
	var own rules
	if err == nil {
		own, err = s.ownRules(ctx)
	}
	if hasStatus(err, http.StatusForbidden) {
		return fmt.Errorf("%w; allow it, as the ClusterRoles system:basic-user and system:discovery do, or set protect.eksResources to []", err)
	}
	if hasStatus(err, http.StatusNotFound) {
		return noAPIServer(err)
	}
	if err != nil {
		return err
	}
	for _, group := range down {
		switch {
		case !s.selectsIn(group):
		case own.mayList(group, ""):
			return fmt.Errorf("list the kinds of the API group %s: its server does not answer; repair or delete its APIService; "+
				"or if its objects name no images, name the kinds to read in protect.eksResources, or take the group out of the ClusterRole", group)
		default:
			s.down = append(s.down, group)
		}
	}
	for _, r := range kinds {
		if !wildcard.MatchAny(s.Resources, r.String()) {
			continue
		}
		// The server is not asked for each of a thousand kinds if it cannot list the rights.
		isLikely := own.Incomplete && (slices.Contains(known, r.String()) || s.names(r))
		if !own.mayList(r.group, r.plural) && !isLikely {
			s.notListed = append(s.notListed, r.String())
			continue
		}
		if err := s.custom(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// custom reads the objects of one kind.
func (s *scan) custom(ctx context.Context, r resource) error {
	err := s.list(ctx, r, func(text []byte) error { return s.customObject(r, text) })
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, errStopped), hasStatus(err, http.StatusUnauthorized):
		return err
	case hasStatus(err, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed):
		s.notListed = append(s.notListed, r.String())
		return nil
	}
	return fmt.Errorf("%w; if these objects name no images, name only other kinds in protect.eksResources, "+
		"or take the kind out of the ClusterRole", err)
}

// names reports whether a pattern that does not select all kinds selects the kind.
func (s *scan) names(r resource) bool {
	return slices.ContainsFunc(s.Resources, func(p wildcard.Pattern) bool { return p.String() != "*" && p.Match(r.String()) })
}

// selectsIn reports whether a pattern may select a kind of the group.
func (s *scan) selectsIn(group string) bool {
	return slices.ContainsFunc(s.Resources, func(p wildcard.Pattern) bool {
		end := p.String()[strings.LastIndex(p.String(), "*")+1:]
		return strings.HasSuffix(end, "."+group) || end != p.String() && strings.HasSuffix("."+group, end)
	})
}

// notListedMessage is the message of the finding about the kinds that were not read.
func (s *scan) notListedMessage() string {
	slices.Sort(s.notListed)
	which, kinds := "These are "+strings.Join(words.Few(s.notListed), ", "), "KIND..."
	important := slices.DeleteFunc(slices.Clone(s.notListed), func(name string) bool {
		return name != podTemplates.String() && !slices.Contains(known, name)
	})
	if len(important) > 0 {
		which = fmt.Sprintf("Of these, %s may name images that nothing else names, and these images are not protected", strings.Join(important, ", "))
		kinds = strings.Join(slices.DeleteFunc(important, func(name string) bool { return name == podTemplates.String() }), " ")
	}
	return fmt.Sprintf("%s: the cleaner may not list %s. %s. Add the rules that %q prints to the ClusterRole, or name the kinds to read in protect.eksResources",
		s.Name, words.Count(len(s.notListed), "kind of objects", "kinds of objects"), which, strings.TrimSpace("ecrclean kubernetes-role "+kinds))
}
