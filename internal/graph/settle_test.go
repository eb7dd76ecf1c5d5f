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
	wishes   []graph.Wish
}

func draw(t *testing.T, text string) picture {
	t.Helper()
	p := picture{children: map[string][]string{}}
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		im := evaluator.Image{Digest: words[0], Status: evaluator.Active, PushedAt: evaluator.At(time.Unix(int64(n), 0))}
		var w graph.Wish
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
				w.Fate = graph.Delete
			case word == "!archive":
				w.Fate = graph.Archive
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
		p.images, p.wishes = append(p.images, im), append(p.wishes, w)
	}
	return p
}

// outcome puts rulings into words, one image a line, those that stay and that
// nobody wanted gone left out.
func (p picture) outcome(rulings []graph.Ruling) string {
	var lines []string
	for i, r := range rulings {
		line := p.images[i].Digest
		switch {
		case r.Follows:
			line += " follows " + r.With
		case r.Fate == graph.Delete:
			line += " deleted"
		case r.Fate == graph.Archive:
			line += " archived"
		case r.Tie != graph.NoTie:
			line += " " + string(r.Tie) + " " + r.With
		case p.wishes[i].Vetoed && p.wishes[i].Fate != graph.Stay:
			line += " vetoed"
		default:
			continue
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

func TestSettle(t *testing.T) {
	t.Parallel()
	signature := "#sha256-" + strings.Repeat("a", 64)
	signed := "sha256:" + strings.Repeat("a", 64)
	for _, tt := range []struct {
		name, picture, want string
		deleteOrphans       bool
	}{
		{name: "an image alone goes", picture: "a !delete", want: "a deleted"},
		{name: "a vetoed image stays", picture: "a !delete vetoed", want: "a vetoed"},
		{name: "a marked child of a kept index stays", picture: "c !delete\ni >c #v1", want: "c child i"},
		{name: "a child is not archived under a kept index", picture: "c !archive\ni >c #v1", want: "c child i"},
		{name: "an index takes its untagged children along", picture: "c\nd\ni >c,d #v1 !delete", want: "c follows i; d follows i; i deleted"},
		{name: "a tagged child stays when its index goes", picture: "c #v1-amd64\ni >c #v1 !delete", want: "i deleted"},
		{name: "a vetoed child stays when its index goes", picture: "c vetoed\ni >c !delete", want: "i deleted"},
		{name: "a shared child stays with the live index", picture: "c\nd\ndead >c,d !delete\nlive >d #v2", want: "c follows dead; dead deleted"},
		{name: "a marked shared child stays with the live index", picture: "d !delete\ndead >d !delete\nlive >d #v2", want: "d child live; dead deleted"},
		{name: "a shared child goes with the last index", picture: "d\na >d !delete\nb >d !delete", want: "a deleted; b deleted; d follows a"},
		{name: "an index of indexes takes all below it along", picture: "c\ni >c\nr >i !delete", want: "c follows r; i follows r; r deleted"},
		{name: "a kept index of indexes keeps all below it", picture: "c !delete\ni >c !delete\nr >i #v1", want: "c child i; i child r"},
		{name: "a child is not deleted under an index that is archived", picture: "c !delete\ni >c !archive", want: "c child i; i archived"},
		{name: "a child is archived after its index", picture: "c !archive\ni >c !archive", want: "c archived; i archived"},
		{name: "nothing follows into the archive", picture: "c\ni >c !archive", want: "i archived"},
		{name: "a child is not deleted under an archived index", picture: "c !delete\ni >c archived", want: "c child i"},
		{name: "a referrer stays with its subject, however marked", picture: "s #v1\nsig ^s !delete", want: "sig subject s"},
		{name: "a referrer follows its subject", picture: "s !delete\nsig ^s", want: "s deleted; sig follows s"},
		{name: "a referrer of a referrer follows too", picture: "s !delete\nsbom ^s\nsig ^sbom", want: "s deleted; sbom follows s; sig follows s"},
		{name: "a tagged referrer stays", picture: "s !delete\nsig ^s #keep", want: "s deleted"},
		{name: "a cosign signature stays with its subject", picture: signed + "\nsig " + signature + ".sig !delete", want: "sig subject " + signed},
		{name: "a cosign signature follows its subject", picture: signed + " !delete\nsig " + signature + ".sig", want: signed + " deleted; sig follows " + signed},
		{name: "a cosign signature with another tag stays", picture: signed + " !delete\nsig " + signature + ".sig #keep", want: signed + " deleted"},
		{name: "a fallback index follows its subject with its children", picture: signed + " !delete\nsig ^" + signed + "\nf >sig " + signature, want: "f follows " + signed + "; " + signed + " deleted; sig follows " + signed},
		{name: "an archived subject exists", picture: "s archived\nsig ^s !delete", want: "sig subject s"},
		{name: "an orphan is kept", picture: "x #v1\nsig ^gone !delete", want: "sig orphan gone"},
		{name: "an orphan goes when orphans go", picture: "x #v1\nsig ^gone !delete", deleteOrphans: true, want: "sig deleted"},
		{name: "an orphan that nobody marks stays", picture: "x #v1\nsig ^gone", deleteOrphans: true, want: ""},
		{name: "a referrer follows an orphan", picture: "x #v1\nsbom ^gone !delete\nsig ^sbom", deleteOrphans: true, want: "sbom deleted; sig follows sbom"},
		{name: "a repository of referrers only has no orphans", picture: "sig ^gone !delete\nsbom ^gone !delete", deleteOrphans: true, want: "sbom orphan gone; sig orphan gone"},
		{name: "an unreadable index stays, with what may be its child", picture: "old !delete\ni unread !delete\nnew !delete", want: "i unreadableIndex i; new unreadableIndex i; old unreadableIndex i"},
		{name: "nothing that may be its child follows another", picture: "c\nr >c !delete\ni unread #v1", want: "r unreadableIndex i"},
		{name: "an archived index that is to go goes", picture: "c !delete\ni unread archived !delete", want: "c deleted; i deleted"},
		{name: "tags that tie images in a circle do not keep them", picture: "a ^b !delete\nb ^a !delete\nx #v1", want: "a deleted; b deleted"},
		{name: "nothing goes along in a circle without a root", picture: "a ^b\nb ^a\nx #v1 !delete", want: "x deleted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := draw(t, tt.picture)
			got := p.outcome(graph.New(p.images, p.children).Settle(p.wishes, tt.deleteOrphans))
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
		p.wishes = append(p.wishes, graph.Wish{Fate: graph.Fate(max(0, r.IntN(5)-2)), Vetoed: r.IntN(6) == 0})
	}
	return p
}

func reach(im evaluator.Image, f graph.Fate) graph.Fate {
	if im.Status == evaluator.Archived {
		return max(f, graph.Archive)
	}
	return f
}

// TestSettleKeepsTogether checks the two rules of the package on random
// repositories, and that nothing stays without a reason.
func TestSettleKeepsTogether(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		p := randomPicture(r)
		deleteOrphans := r.IntN(2) == 0
		g := graph.New(p.images, p.children)
		rulings := g.Settle(p.wishes, deleteOrphans)
		fate := map[string]graph.Ruling{}
		for i, im := range p.images {
			fate[im.Digest] = rulings[i]
		}
		for i, im := range p.images {
			if fault := p.fault(g, i, fate); fault != "" {
				t.Fatalf("%s: %s\n%+v\n%+v\n%v", im.Digest, fault, p, rulings, deleteOrphans)
			}
		}
		if got := shuffled(r, p, deleteOrphans); got != p.outcome(rulings) {
			t.Fatalf("another order of the listing gives %s, not %s", got, p.outcome(rulings))
		}
	}
}

func (p picture) fault(g *graph.Graph, i int, fate map[string]graph.Ruling) string {
	im, w, r := p.images[i], p.wishes[i], fate[p.images[i].Digest]
	for _, parent := range g.Parents(im.Digest) {
		if r.Fate > reach(parent, fate[parent.Digest].Fate) {
			return "goes further than " + parent.Digest
		}
	}
	root := fate[r.With]
	switch {
	case w.Vetoed && r.Fate != graph.Stay:
		return "goes although vetoed"
	case !r.Follows && r.Fate > w.Fate:
		return "goes further than wanted"
	case r.Follows && (len(im.Tags) > 0 || r.Fate != graph.Delete || root.Follows || root.Fate != graph.Delete):
		return "follows without reason"
	case !w.Vetoed && w.Fate != graph.Stay && r.Fate == graph.Stay && r.Tie == graph.NoTie:
		return "stays without a tie"
	case r.Fate != graph.Stay && r.Fate != w.Fate && !r.Follows:
		return "goes another way than wanted"
	}
	return ""
}

func shuffled(r *rand.Rand, p picture, deleteOrphans bool) string {
	q := picture{children: p.children}
	for _, i := range r.Perm(len(p.images)) {
		q.images, q.wishes = append(q.images, p.images[i]), append(q.wishes, p.wishes[i])
	}
	return q.outcome(graph.New(q.images, q.children).Settle(q.wishes, deleteOrphans))
}
