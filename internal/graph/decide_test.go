package graph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

const index = "application/vnd.oci.image.index.v1+json"

// A picture draws a repository: one line per image, with what it lists after
// ">", its subject after "^", its tags after "#", what is wanted after "!"
// (delete or archive), and the words vetoed, archived and unread.
type picture struct {
	images   []evaluator.Image
	children map[string][]string
	wanted   []graph.Wanted
}

func draw(t *testing.T, text string) picture {
	t.Helper()
	p := picture{children: map[string][]string{}}
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		im := evaluator.Image{Digest: words[0], Status: evaluator.Active, PushedAt: evaluator.At(time.Unix(int64(n), 0))}
		var w graph.Wanted
		unread := false
		for _, word := range words[1:] {
			rest := word[1:]
			switch {
			case word[0] == '>':
				im.ManifestMediaType = index
				p.children[im.Digest] = strings.Split(rest, ",")
			case word[0] == '^':
				im.SubjectDigest = rest
			case word[0] == '#':
				im.Tags = append(im.Tags, rest)
			case word == "!delete":
				w.Disposition = graph.Delete
			case word == "!archive":
				w.Disposition = graph.Archive
			case word == "vetoed":
				w.Vetoed = true
			case word == "archived":
				im.Status = evaluator.Archived
			case word == "unread":
				unread, im.ManifestMediaType = true, index
			default:
				t.Fatalf("unknown word %q", word)
			}
		}
		if unread {
			delete(p.children, im.Digest)
		}
		p.images, p.wanted = append(p.images, im), append(p.wanted, w)
	}
	return p
}

// outcome puts decisions into words, one image a line. It leaves out images that are kept and
// not wanted gone.
func (p picture) outcome(decisions []graph.Decision) string {
	var lines []string
	for i, r := range decisions {
		line := p.images[i].Digest
		switch {
		case r.Follows:
			line += " follows " + r.Related
		case r.Disposition == graph.Delete:
			line += " deleted"
		case r.Disposition == graph.Archive:
			line += " archived"
		case r.Blocker != "":
			line += " " + string(r.Blocker) + " " + r.Related
		case p.wanted[i].Vetoed && p.wanted[i].Disposition != graph.Keep:
			line += " vetoed"
		default:
			continue
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

func TestDecide(t *testing.T) {
	t.Parallel()
	signature := "#sha256-" + strings.Repeat("a", 64)
	signed := "sha256:" + strings.Repeat("a", 64)
	for _, tt := range []struct {
		name, picture, want string
		deleteOrphans       bool
	}{
		{name: "an image alone is deleted", picture: "a !delete", want: "a deleted"},
		{name: "a vetoed image is kept", picture: "a !delete vetoed", want: "a vetoed"},
		{name: "a marked child of a kept index is kept", picture: "c !delete\ni >c #v1", want: "c child i"},
		{name: "a child is not archived under a kept index", picture: "c !archive\ni >c #v1", want: "c child i"},
		{name: "the untagged children of an index follow it", picture: "c\nd\ni >c,d #v1 !delete", want: "c follows i; d follows i; i deleted"},
		{name: "a tagged child is kept when its index is deleted", picture: "c #v1-amd64\ni >c #v1 !delete", want: "i deleted"},
		{name: "a vetoed child is kept when its index is deleted", picture: "c vetoed\ni >c !delete", want: "i deleted"},
		{name: "a shared child is kept with the live index", picture: "c\nd\ndead >c,d !delete\nlive >d #v2", want: "c follows dead; dead deleted"},
		{name: "a marked shared child is kept with the live index", picture: "d !delete\ndead >d !delete\nlive >d #v2", want: "d child live; dead deleted"},
		{name: "a shared child follows the last index", picture: "d\na >d !delete\nb >d !delete", want: "a deleted; b deleted; d follows a"},
		{name: "all below an index of indexes follows it", picture: "c\ni >c\nr >i !delete", want: "c follows r; i follows r; r deleted"},
		{name: "a kept index of indexes keeps all below it", picture: "c !delete\ni >c !delete\nr >i #v1", want: "c child i; i child r"},
		{name: "a child is not deleted under an index that is archived", picture: "c !delete\ni >c !archive", want: "c child i; i archived"},
		{name: "a child is archived after its index", picture: "c !archive\ni >c !archive", want: "c archived; i archived"},
		{name: "nothing follows into the archive", picture: "c\ni >c !archive", want: "i archived"},
		{name: "a child is not deleted under an archived index", picture: "c !delete\ni >c archived", want: "c child i"},
		{name: "a referrer is kept with its subject, however marked", picture: "s #v1\nsig ^s !delete", want: "sig subject s"},
		{name: "a referrer follows its subject", picture: "s !delete\nsig ^s", want: "s deleted; sig follows s"},
		{name: "a referrer of a referrer follows too", picture: "s !delete\nsbom ^s\nsig ^sbom", want: "s deleted; sbom follows s; sig follows s"},
		{name: "a tagged referrer is kept", picture: "s !delete\nsig ^s #keep", want: "s deleted"},
		{name: "a cosign signature is kept with its subject", picture: signed + "\nsig " + signature + ".sig !delete", want: "sig subject " + signed},
		{name: "a cosign signature follows its subject", picture: signed + " !delete\nsig " + signature + ".sig", want: signed + " deleted; sig follows " + signed},
		{name: "a cosign signature with another tag is kept", picture: signed + " !delete\nsig " + signature + ".sig #keep", want: signed + " deleted"},
		{name: "a fallback index follows its subject with its children", picture: signed + " !delete\nsig ^" + signed + "\nf >sig " + signature, want: "f follows " + signed + "; " + signed + " deleted; sig follows " + signed},
		{name: "an archived subject exists", picture: "s archived\nsig ^s !delete", want: "sig subject s"},
		{name: "an orphan is kept", picture: "x #v1\nsig ^gone !delete", want: "sig orphan gone"},
		{name: "an orphan is deleted when orphans are to be deleted", picture: "x #v1\nsig ^gone !delete", deleteOrphans: true, want: "sig deleted"},
		{name: "an unmarked orphan is kept", picture: "x #v1\nsig ^gone", deleteOrphans: true, want: ""},
		{name: "a referrer follows an orphan", picture: "x #v1\nsbom ^gone !delete\nsig ^sbom", deleteOrphans: true, want: "sbom deleted; sig follows sbom"},
		{name: "a repository of referrers only has no orphans", picture: "sig ^gone !delete\nsbom ^gone !delete", deleteOrphans: true, want: "sbom orphan gone; sig orphan gone"},
		{name: "an unreadable index is kept, with the images that may be its children", picture: "old !delete\ni unread !delete\nnew !delete", want: "i unreadableIndex i; new unreadableIndex i; old unreadableIndex i"},
		{name: "nothing that may be its child follows another", picture: "c\nr >c !delete\ni unread #v1", want: "r unreadableIndex i"},
		{name: "a marked archived index is deleted", picture: "c !delete\ni unread archived !delete", want: "c deleted; i deleted"},
		{name: "tags by which images refer to each other do not keep them", picture: "a ^b !delete\nb ^a !delete\nx #v1", want: "a deleted; b deleted"},
		{name: "images that refer to each other follow no other", picture: "a ^b\nb ^a\nx #v1 !delete", want: "x deleted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := draw(t, tt.picture)
			got := p.outcome(graph.New(p.images, p.children).Decide(p.wanted, tt.deleteOrphans))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// randomPicture draws up to a dozen images in which each lists and refers to
// earlier ones only, as digests force it.
func randomPicture(r *rand.Rand) picture {
	p := picture{children: map[string][]string{}}
	for i := range 1 + r.IntN(12) {
		im := evaluator.Image{Digest: fmt.Sprintf("d%02d", i), Status: evaluator.Active, PushedAt: evaluator.At(time.Unix(int64(r.IntN(4)), 0))}
		earlier := func() string { return fmt.Sprintf("d%02d", r.IntN(i+2)) }
		switch r.IntN(5) {
		case 0, 1:
			im.ManifestMediaType = index
			if r.IntN(8) > 0 {
				p.children[im.Digest] = []string{}
				for range r.IntN(4) {
					p.children[im.Digest] = append(p.children[im.Digest], earlier())
				}
			}
		case 2:
			im.SubjectDigest = earlier()
		}
		if r.IntN(3) == 0 {
			im.Tags = []string{fmt.Sprint("t", i)}
		}
		if r.IntN(6) == 0 {
			im.Status = evaluator.Archived
		}
		p.images = append(p.images, im)
		p.wanted = append(p.wanted, graph.Wanted{Disposition: graph.Disposition(max(0, r.IntN(5)-2)), Vetoed: r.IntN(6) == 0})
	}
	return p
}

func reach(im evaluator.Image, f graph.Disposition) graph.Disposition {
	if im.Status == evaluator.Archived {
		return max(f, graph.Archive)
	}
	return f
}

// TestDecideKeepsRelatedImagesTogether checks the two rules of the package on random
// repositories, and that each kept image has a reason.
func TestDecideKeepsRelatedImagesTogether(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		p := randomPicture(r)
		deleteOrphans := r.IntN(2) == 0
		g := graph.New(p.images, p.children)
		decisions := g.Decide(p.wanted, deleteOrphans)
		byDigest := map[string]graph.Decision{}
		for i, im := range p.images {
			byDigest[im.Digest] = decisions[i]
		}
		for i, im := range p.images {
			if fault := p.fault(g, i, byDigest); fault != "" {
				t.Fatalf("%s: %s\n%+v\n%+v\n%v", im.Digest, fault, p, decisions, deleteOrphans)
			}
		}
		if got := shuffled(r, p, deleteOrphans); got != p.outcome(decisions) {
			t.Fatalf("another order of the listing gives %s, not %s", got, p.outcome(decisions))
		}
	}
}

func (p picture) fault(g *graph.Graph, i int, byDigest map[string]graph.Decision) string {
	im, w, r := p.images[i], p.wanted[i], byDigest[p.images[i].Digest]
	for _, parent := range g.Parents(im.Digest) {
		if r.Disposition > reach(parent, byDigest[parent.Digest].Disposition) {
			return "has a greater disposition than " + parent.Digest
		}
	}
	root := byDigest[r.Related]
	switch {
	case w.Vetoed && r.Disposition != graph.Keep:
		return "is removed although vetoed"
	case !r.Follows && r.Disposition > w.Disposition:
		return "has a greater disposition than wanted"
	case r.Follows && (len(im.Tags) > 0 || r.Disposition != graph.Delete || root.Follows || root.Disposition != graph.Delete):
		return "follows without reason"
	case !w.Vetoed && w.Disposition != graph.Keep && r.Disposition == graph.Keep && r.Blocker == "":
		return "is kept without a blocker"
	case r.Disposition != graph.Keep && r.Disposition != w.Disposition && !r.Follows:
		return "has another disposition than wanted"
	}
	return ""
}

func shuffled(r *rand.Rand, p picture, deleteOrphans bool) string {
	q := picture{children: p.children}
	for _, i := range r.Perm(len(p.images)) {
		q.images, q.wanted = append(q.images, p.images[i]), append(q.wanted, p.wanted[i])
	}
	return q.outcome(graph.New(q.images, q.children).Decide(q.wanted, deleteOrphans))
}
