package convert

import (
	"cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func (r *rule) retains() bool { return r.Action.Type == lifecycle.Retain }

// counts reports whether it matters to the rule how many images it matches.
func (r *rule) counts() bool { return r.Selection.CountType == lifecycle.ImageCountMoreThan }

// member returns the value of a member of the selection.
func (r *rule) member(name string) *jsondoc.Value { return r.value.Member("selection").Member(name) }

// refuse records what has no equivalent whatever the other rules are.
func (r *rule) refuse() {
	kind := r.value.Member("action").Member("type")
	switch {
	case r.Action.Type == lifecycle.Untag:
		kind.Problem(`"untag" has no equivalent: ECR removes images, no single tags`)
	case r.Action.Type == lifecycle.Expire && r.Selection.CountType == lifecycle.SinceImagePulled:
		kind.Problem(`"expire" with "sinceImagePulled" has no equivalent: by last pull ECR only archives, ` +
			`with "transition" and targetStorageClass "archive"`)
	case r.retains() && r.Selection.StorageClass == lifecycle.ArchiveClass:
		kind.Problem(`"retain" of archived images has no equivalent: ECR does not count them, and has only ages; ` +
			`"expire" with "sinceImageTransitioned" and a large countNumber keeps them that many days`)
	}
	if r.Selection.KeepNewest > 0 {
		r.member("keepNewest").Problem("has no equivalent: of two rules the first would shield from the second all that it matches; " +
			`use the age alone, or countType "imageCountMoreThan" instead of it`)
	}
}

// plain returns the rule without extensions, but with its list.
func (r *rule) plain() lifecycle.Rule {
	p := r.Rule
	p.Selection.TagMatchAny, p.Selection.TagExcludePatternList, p.Selection.KeepNewest = false, nil, 0
	if r.retains() {
		p = guard(p)
		p.Description = cmp.Or(p.Description, "Keeps all of them: the number is never reached")
	}
	return p
}

// guard turns a rule into one that keeps all it matches.
func guard(r lifecycle.Rule) lifecycle.Rule {
	r.Action = lifecycle.Action{Type: lifecycle.Expire}
	r.Selection.CountType, r.Selection.CountNumber = lifecycle.ImageCountMoreThan, Never
	return r
}
