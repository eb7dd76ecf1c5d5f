package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// A scriptRegistry is the registry of one script. Its seed has a line for each
// repository and, below it, one for each of its images:
//
//	repository NAME [FILE OF LIFECYCLE POLICY]
//	IMAGE AGE [tags=T,T] [pulled=AGE] [size=BYTES] [status=S] [archived=AGE]
//	          [activated=AGE] [children=IMAGE,IMAGE] [subject=IMAGE]
//
// IMAGE is made of hexadecimal digits and stands for the digest that begins with them and goes on
// with zeros. An AGE is a number with the unit d, h or s, counted back from now, or an instant in
// RFC 3339. Tags are percent-encoded; T*N stands for the N tags T0, T1 and so on.
type scriptRegistry struct {
	rules   []fakeecr.ReplicationRule // of the replication
	ahead   atomic.Int64              // how far its clock is ahead of this machine's
	mu      sync.Mutex
	server  *fakeecr.Server
	answers map[string]string // by operation or ACCOUNT/OPERATION, in place of the server's
	// members are the registries of the accounts whose roles may be assumed.
	members map[string]*fakeecr.Server
}

type registryKey struct{}

func newScriptRegistry() *scriptRegistry {
	r := &scriptRegistry{answers: map[string]string{}, members: map[string]*fakeecr.Server{}}
	r.server = fakeecr.New(fakeecr.WithClock(r.now))
	return r
}

// now is the time of the registry's own clock.
func (r *scriptRegistry) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

func registryOf(ts *testscript.TestScript) *scriptRegistry {
	return ts.Value(registryKey{}).(*scriptRegistry)
}

func (r *scriptRegistry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/latest/api/token" { // the metadata service of an old EC2 instance
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	_, operation, isTarget := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	switch {
	case isTarget:
	case request.Method == http.MethodGet: // Lambda and EKS
		operation = path.Base(request.URL.Path)
	default: // the protocol of STS
		operation = request.FormValue("Action")
	}
	r.mu.Lock()
	answer, given := r.answers[operation]
	server := http.Handler(r.server)
	if account, _, service := inusetest.Signer(request); len(r.members) > 0 {
		if own, is := r.answers[account+"/"+operation]; is {
			answer, given = own, true
		}
		if member, is := r.members[account]; is {
			server = member
		}
		if service == "sts" {
			server = &inusetest.STS{Refuse: r.refuse}
		}
	}
	r.mu.Unlock()
	if !given {
		server.ServeHTTP(w, request)
		return
	}
	w.Header().Set("Date", r.now().UTC().Format(http.TimeFormat))
	if isTarget {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	}
	if strings.Contains(answer, `"__type"`) { // an error
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = w.Write([]byte(answer)) // the program may have gone
}

// refuse denies the roles of accounts that are no members.
func (r *scriptRegistry) refuse(form url.Values) (status int, code, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	account := strings.Split(form.Get("RoleArn")+":::::", ":")[4]
	if _, is := r.members[account]; is || account == "" {
		return 0, "", ""
	}
	return http.StatusForbidden, "AccessDenied", "not authorized to perform: sts:AssumeRole on resource: " + form.Get("RoleArn")
}

// seed fills the registry; files are looked up in dir.
func (r *scriptRegistry) seed(dir, text string) error {
	repository := ""
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case fields[0] == "repository":
			repository = fields[1]
			r.server.CreateRepository(repository)
			if len(fields) > 2 {
				policy, err := os.ReadFile(filepath.Join(dir, fields[2]))
				if err != nil {
					return err
				}
				r.server.SetLifecyclePolicy(repository, string(policy))
			}
		default:
			if err := r.push(repository, fields); err != nil {
				return fmt.Errorf("seed line %q: %w", line, err)
			}
		}
	}
	return nil
}

// push stores the image that the fields of a line describe.
func (r *scriptRegistry) push(repository string, fields []string) error {
	if len(fields) < 2 {
		return fmt.Errorf("want IMAGE AGE")
	}
	im := fakeecr.Image{Digest: digestNamed(fields[0]), SizeInBytes: 1_000_000}
	set := map[string]*time.Time{
		"pushed": &im.PushedAt, "pulled": &im.LastRecordedPullTime,
		"archived": &im.LastArchivedAt, "activated": &im.LastActivatedAt,
	}
	var err error
	for _, field := range append([]string{"pushed=" + fields[1]}, fields[2:]...) {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "pushed", "pulled", "archived", "activated":
			*set[key], err = instantAt(value)
		case "tags":
			im.Tags, err = tagsOf(value)
		case "size":
			im.SizeInBytes, err = strconv.ParseInt(value, 10, 64)
		case "status":
			im.Status = value
		case "children":
			for child := range strings.SplitSeq(value, ",") {
				im.Children = append(im.Children, digestNamed(child))
			}
		case "subject":
			im.SubjectDigest = digestNamed(value)
		default:
			err = fmt.Errorf("unknown field %s", key)
		}
		if err != nil {
			return err
		}
	}
	r.server.Put(repository, im)
	return nil
}

func digestNamed(name string) string { return "sha256:" + name + strings.Repeat("0", 64-len(name)) }

func nameOf(digest string) string {
	return strings.TrimRight(strings.TrimPrefix(digest, "sha256:"), "0")
}

func instantAt(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	units := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 's': time.Second}
	unit, known := units[text[len(text)-1]]
	n, err := strconv.ParseFloat(text[:len(text)-1], 64)
	if err != nil || !known {
		return time.Time{}, fmt.Errorf("age %q: want a number with d, h or s, or an instant", text)
	}
	return time.Now().Add(-time.Duration(n * float64(unit))), nil
}

func tagsOf(text string) ([]string, error) {
	var tags []string
	for encoded := range strings.SplitSeq(text, ",") {
		tag, err := url.PathUnescape(encoded)
		if err != nil {
			return nil, err
		}
		stem, count, many := strings.Cut(tag, "*")
		if !many {
			tags = append(tags, tag)
			continue
		}
		n, err := strconv.Atoi(count)
		if err != nil {
			return nil, err
		}
		for i := range n {
			tags = append(tags, stem+strconv.Itoa(i))
		}
	}
	return tags, nil
}

// change changes the registry as other people do.
func (r *scriptRegistry) change(what string, args []string) error {
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch what {
	case "push": // REPOSITORY IMAGE AGE FIELD...
		return r.push(arg(0), args[1:])
	case "tag": // REPOSITORY IMAGE TAG
		r.server.Tag(arg(0), digestNamed(arg(1)), arg(2))
	case "untag": // REPOSITORY TAG
		r.server.Untag(arg(0), arg(1))
	case "pull": // REPOSITORY IMAGE
		return r.pull(arg(0), digestNamed(arg(1)))
	case "remove": // REPOSITORY IMAGE
		r.server.Remove(arg(0), digestNamed(arg(1)))
	case "label": // REPOSITORY KEY=VALUE...
		tags := map[string]string{}
		for _, tag := range args[1:] {
			key, value, _ := strings.Cut(tag, "=")
			tags[key] = value
		}
		r.server.TagRepository(arg(0), tags)
	case "drop": // REPOSITORY
		r.server.DeleteRepository(arg(0))
	case "attach": // REPOSITORY POLICY, without white space
		r.server.SetLifecyclePolicy(arg(0), arg(1))
	case "share": // REPOSITORY POLICY, without white space
		r.server.SetRepositoryPolicy(arg(0), arg(1))
	case "replicate": // PREFIX ACCOUNT REGION [deletions]
		r.rules = append(r.rules, fakeecr.ReplicationRule{
			Destinations:      []fakeecr.ReplicationDestination{{RegistryID: arg(1), Region: arg(2)}},
			RepositoryFilters: []fakeecr.RepositoryFilter{{Filter: arg(0), FilterType: "PREFIX_MATCH"}},
			DeleteReplication: fakeecr.DeleteReplication{Enabled: arg(3) == "deletions"},
		})
		r.server.SetReplication(r.rules...)
	case "backfill": // ACCOUNT REGION STATUS
		r.server.SetBackfills(fakeecr.ReplicationBackfill{
			ID: "b1", Destination: fakeecr.ReplicationDestination{RegistryID: arg(0), Region: arg(1)}, Status: arg(2),
		})
	case "unevaluated": // REPOSITORY
		r.server.NeverEvaluate(arg(0))
	case "fail": // OPERATION REPOSITORY [CODE]; no code ends it
		r.server.Fail(arg(0), arg(1), arg(2))
	case "clock": // DURATION that the registry's clock is ahead
		ahead, err := time.ParseDuration(arg(0))
		r.ahead.Store(int64(ahead))
		return err
	case "refuse": // IMAGE CODE
		r.server.RefuseImage(digestNamed(arg(0)), arg(1))
	default:
		return fmt.Errorf("unknown change %q", what)
	}
	return nil
}

func (r *scriptRegistry) pull(repository, digest string) error {
	for _, im := range r.server.Images(repository) {
		if im.Digest == digest {
			im.LastRecordedPullTime = time.Now()
			r.server.Put(repository, im)
			return nil
		}
	}
	return fmt.Errorf("no image %s in %s", digest, repository)
}

// cmdRegistry changes the registry now, or replaces it with another one.
func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: registry CHANGE ARG..., or registry replace FILE [ACCOUNT], or registry member FILE ACCOUNT")
	}
	if args[0] == "member" {
		member := newScriptRegistry()
		member.server = fakeecr.New(fakeecr.WithClock(member.now), fakeecr.WithAccount(args[2]))
		ts.Check(member.seed(ts.MkAbs("."), ts.ReadFile(args[1])))
		registryOf(ts).members[args[2]] = member.server
		return
	}
	if args[0] == "replace" {
		replaceRegistry(ts, args[1:])
		return
	}
	ts.Check(registryOf(ts).change(args[0], args[1:]))
}

// cmdBefore changes the registry right before the Nth call of an operation.
func cmdBefore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: before OPERATION N CHANGE ARG...")
	}
	r := registryOf(ts)
	left, err := strconv.Atoi(args[1])
	ts.Check(err)
	var mu sync.Mutex
	r.server.Before(args[0], func() {
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			if err := r.change(args[2], args[3:]); err != nil {
				panic(err) // a mistake in the script
			}
		}
	})
}

// cmdImages prints the images of a repository: name, tags, status.
func cmdImages(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: images REPOSITORY")
	}
	w := ts.Stdout()
	for _, im := range registryOf(ts).server.Images(args[0]) {
		fmt.Fprintln(w, nameOf(im.Digest), cmp.Or(strings.Join(im.Tags, ","), "-"), im.Status)
	}
}

// cmdAttached prints the lifecycle policy of a repository, or nothing.
func cmdAttached(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: attached REPOSITORY")
	}
	fmt.Fprint(ts.Stdout(), registryOf(ts).server.LifecyclePolicy(args[0]))
}

// cmdCalls prints the number of calls of each operation so far.
func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: calls")
	}
	calls := registryOf(ts).server.Calls()
	w := ts.Stdout()
	for _, operation := range slices.Sorted(maps.Keys(calls)) {
		fmt.Fprintln(w, operation, calls[operation])
	}
}

// replaceRegistry fills another registry, perhaps of another account, from a file.
func replaceRegistry(ts *testscript.TestScript, args []string) {
	r := registryOf(ts)
	options := []fakeecr.Option{fakeecr.WithClock(r.now)}
	if len(args) == 2 {
		options = append(options, fakeecr.WithAccount(args[1]))
	}
	r.mu.Lock()
	r.server = fakeecr.New(options...)
	r.mu.Unlock()
	ts.Check(r.seed(ts.MkAbs("."), ts.ReadFile(args[0])))
}

// cmdAnswer has every call of an operation answered with a file, as from a
// server that is not what we think it is.
func cmdAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answer OPERATION FILE")
	}
	r := registryOf(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[args[0]] = ts.ReadFile(args[1])
}
