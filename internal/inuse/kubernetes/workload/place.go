package workload

import (
	"iter"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A place is a host in a string, and the reference that begins with it.
type place struct {
	text string // of the whole place
	// name is HOST/REPOSITORY or, if the place has no repository, HOST.
	name       string
	repository bool
	suffix     string // :TAG, @DIGEST, both, or empty
	anyTag     bool   // a template follows
	problem    string // why the repository is not known, or empty
}

// The problems of places.
const (
	noRegistry   = "the account or the Region of the registry is not known"
	noRepository = "a registry without the name of a repository"
	partOfName   = "the name of the repository is not complete, or is a template or a pattern"
)

// reference returns the place as a Reference.
func (p place) reference() Reference {
	if p.problem == "" && !p.repository {
		p.problem = noRepository
	}
	if p.anyTag {
		p.suffix = ""
	}
	r := Reference{Text: p.name + p.suffix, AnyTag: p.anyTag}
	if _, err := reference.ParseAny(r.Text); p.problem == "" && err != nil {
		p.problem = err.Error()
	}
	if p.problem != "" {
		return Reference{Text: p.text, Problem: p.problem}
	}
	return r
}

// registryMarks are in the hosts of all ECR registries.
var registryMarks = []string{"dkr.ecr", "dkr-ecr"}

// places returns the hosts in the text.
func (f *finder) places(text string) (places []place) {
	lower := lowerCase(text)
	for _, mark := range registryMarks {
		for i := range indexes(lower, mark) {
			if p, ok := registryPlace(text, lower, i); ok {
				places = append(places, p)
			}
		}
	}
	for _, host := range f.hosts {
		for i := range indexes(lower, host) {
			// In a text that is quoted twice, the letter before the host can be the n of \n.
			begins := i == 0 || !isTagByte(lower[i-1]) || i > 1 && lower[i-2] == '\\'
			if end := i + len(host); begins && !continues(lower[end:]) {
				places = append(places, follow(text, i, end))
			}
		}
	}
	return places
}

// continues reports whether the rest of a text belongs to a longer host, or to a port.
func continues(rest string) bool {
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ':') {
		rest = rest[1:]
	}
	return rest != "" && rest[0] != '.' && isTagByte(rest[0])
}

// registryPlace returns the place with the mark of an ECR registry at an offset.
func registryPlace(text, lower string, mark int) (place, bool) {
	before, after := lower[:mark], lower[mark+len(registryMarks[0]):]
	if before != "" && before[len(before)-1] != '.' && isTagByte(before[len(before)-1]) ||
		!strings.HasPrefix(after, ".") && !strings.HasPrefix(after, "-fips.") {
		return place{}, false
	}
	end := mark + len(strings.TrimRight(lower[mark:mark+run(lower[mark:], isTagByte)], ".-_"))
	if start := mark - len("123456789012."); start >= 0 {
		if _, err := reference.ParseRegistry(lower[start:end]); err == nil {
			return follow(text, start, end), true
		}
	}
	before = text[max(0, mark-maxWord):mark]
	start := mark - len(before) + strings.LastIndexAny(before, blanks) + 1
	return place{text: word(text[start:]), problem: noRegistry}, true
}

// follow reads the reference after the host text[start:end].
func follow(text string, start, end int) place {
	p := place{text: word(text[start:]), name: text[start:end]}
	rest := text[end:]
	if port := ":443/"; strings.HasPrefix(rest, port) { // that of https
		rest = rest[len(port)-1:]
	}
	if !strings.HasPrefix(rest, "/") {
		return p
	}
	path := rest[:1+run(rest[1:], isPathByte)]
	rest = rest[len(path):]
	if rest == "" || !strings.HasPrefix(rest, ":") && !strings.HasPrefix(rest, "@") {
		path = strings.TrimRight(path, ".") // the end of a sentence
	}
	if strings.Trim(path, "/") == "" && !isOpen(rest) {
		return p
	}
	p.repository = true
	p.name += path
	if isOpen(rest) || len(path) > maxRun || strings.ContainsRune("/_-", rune(path[len(path)-1])) {
		p.problem = partOfName
		return p
	}
	if tag, isTag := strings.CutPrefix(rest, ":"); isTag {
		tag = tag[:run(tag, isTagByte)]
		rest = rest[1+len(tag):]
		p.anyTag = tag == "" || isOpen(rest) || strings.ContainsAny(tag[len(tag)-1:], "_-")
		p.suffix = ":" + tag
	}
	if digest, isDigest := strings.CutPrefix(rest, "@"); isDigest {
		digest = strings.TrimRight(digest[:run(digest, isDigestByte)], ".:")
		_, err := reference.Reference{}.WithDigest(digest)
		p.anyTag = err != nil || isOpen(rest[1+len(digest):])
		p.suffix += "@" + digest
	}
	return p
}

// blanks are the characters that end a word in a script or a template.
const blanks = " \t\r\n\"'`=,;|"

const (
	maxWord = 200 // bytes of the text of a problem
	maxRun  = 512 // bytes; longer than any host, name, tag or digest of ECR
)

// word returns the text up to the next blank.
func word(text string) string {
	text = text[:min(len(text), maxWord)]
	if end := strings.IndexAny(text, blanks); end >= 0 {
		text = text[:end]
	}
	return strings.ToValidUTF8(text, "")
}

// isOpen reports whether a template or a pattern follows, which completes the word before it.
func isOpen(rest string) bool { return rest != "" && strings.IndexByte("${%*", rest[0]) >= 0 }

// indexes returns the offsets of part in the text.
func indexes(text, part string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 0; ; at++ {
			next := strings.Index(text[at:], part)
			if at += next; next < 0 || !yield(at) {
				return
			}
		}
	}
}

// run returns the number of bytes at the beginning of the text that are of that kind.
func run(text string, of func(byte) bool) int {
	n := 0
	for n < min(len(text), maxRun) && of(text[n]) {
		n++
	}
	return n
}

// lowerCase changes ASCII letters only, so that the offsets stay the same.
func lowerCase(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// isTagByte reports whether the character can be in a tag, or in a host or part of a path.
func isTagByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._-", c) >= 0
}

func isPathByte(c byte) bool { return isTagByte(c) || c == '/' }

func isDigestByte(c byte) bool { return isTagByte(c) || c == ':' || c == '+' }
