package place

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/role"
)

// A source is the in-use source of a service in one place.
type source struct {
	inuse.Source
	scan                  *scan
	member                *member // nil in the registry's own account
	name, service, region string
}

// Name returns the name of the service and the place, such as ecs@222222222222/eu-west-1.
func (s source) Name() string { return s.name }

// Account returns the account, or "" for that of the registry.
func (s source) Account() string {
	if s.member == nil {
		return ""
	}
	return s.member.account
}

// MaxUses returns how many uses of one image a scan keeps.
func (s source) MaxUses() int {
	if r, ok := s.Source.(inuse.Repetitive); ok {
		return r.MaxUses()
	}
	return math.MaxInt
}

// Uses yields the uses of the service there. It fails without a call if the service did not
// answer the first source in that Region.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		place := s.service + "@" + s.region
		if answered, known := s.scan.answered.Load(place); known && answered == false {
			yield(inuse.Use{}, s.failed(fmt.Errorf("it was not queried, because %s did not answer another source; "+
				"check the Region and the network; if it is not used here, %s", place, s.inUseField())))
			return
		}
		if err := s.member.assume(ctx); err != nil {
			yield(inuse.Use{}, s.failed(err))
			return
		}
		limited, cancel, most := s.scan.limit(ctx)
		defer cancel()
		for use, err := range s.Source.Uses(limited) {
			switch {
			case err == nil:
			case limited.Err() != nil && ctx.Err() == nil:
				err = s.failed(tooSlow(most, err))
			default:
				s.note(place, awsclient.IsUnreached(err))
				err = s.failed(err)
			}
			if !yield(use, err) || err != nil {
				return
			}
		}
		s.note(place, false)
	}
}

func tooSlow(most time.Duration, err error) error {
	late := fmt.Sprintf("it did not end in %s, which is its time", most.Round(time.Second))
	if most <= 0 {
		late = "the in-use scan has no time left for it"
	}
	return fmt.Errorf("%s; query fewer services there, or use a list in protect.references: %w", late, err)
}

func (s source) note(place string, unreached bool) { s.scan.answered.LoadOrStore(place, !unreached) }

// inUseField says how to turn the source off.
func (s source) inUseField() string {
	if s.member == nil {
		return fmt.Sprintf("take %q out of protect.regions", s.region)
	}
	return fmt.Sprintf("leave %q out of inUse of account %s in protect.accounts", s.service, s.member.account)
}

// failed returns the error with the role, and with the advice for this place.
func (s source) failed(err error) error {
	if refused, ok := errors.AsType[*role.Error](err); ok {
		return refused // the call that needed it is of no interest
	}
	text := strings.ReplaceAll(err.Error(), fmt.Sprintf("take %q out of protect.inUse", s.service), s.inUseField())
	if s.member != nil {
		text = "role " + s.member.ARN + ": " + text
	}
	return placed{err, text}
}

// A placed error is the error of a source with another text.
type placed struct {
	error
	text string
}

func (p placed) Error() string { return p.text }

func (p placed) Unwrap() error { return p.error }
