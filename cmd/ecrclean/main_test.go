package main

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

var update = flag.Bool("update", false, "rewrite the expectations of the scripts")

// TestMain makes the real main available to the scripts as the program ecrclean.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ecrclean": main})
}

// TestScripts runs testdata/script/*.txtar. Each script has an embedded registry of its own, filled
// from its file "registry" if it has one, and CLEANER_CONFIG names its file "config.json" if it has
// one. The commands beside those of testscript are in scriptCommands.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setUpScript,
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
	})
}

func setUpScript(env *testscript.Env) error {
	r := newScriptRegistry()
	if text, err := os.ReadFile(filepath.Join(env.WorkDir, "registry")); err == nil {
		if err := r.seed(env.WorkDir, string(text)); err != nil {
			return err
		}
	}
	server := httptest.NewServer(r)
	env.Defer(server.Close)
	env.Values[registryKey{}] = r
	if _, err := os.Stat(filepath.Join(env.WorkDir, "config.json")); err == nil {
		env.Setenv("CLEANER_CONFIG", "config.json")
	}
	env.Setenv("AWS_ENDPOINT_URL", server.URL)
	env.Setenv("AWS_REGION", "eu-west-1")
	env.Setenv("AWS_ACCESS_KEY_ID", "local")
	env.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	env.Setenv("ESC", "\x1b")
	env.Setenv("NL", "\n")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each program otherwise
	env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return nil
}

// scriptCommands are the commands of the scripts; each has its usage as its comment.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	// exits STATUS PROGRAM ARG...
	"exits": cmdExits,
	// suggested STATUS
	"suggested": cmdSuggested,
	// within DURATION STATUS PROGRAM ARG...
	"within": cmdWithin,
	// harmless FILE
	"harmless": cmdHarmless,
	// [!] json FILE PATH WANT
	"json": cmdJSON,
	// cluster FILE IMAGE
	"cluster": cmdCluster,
	// garbage FILE BYTES [CHARACTER]
	"garbage": cmdGarbage,
	// encode utf-8|utf-16le|utf-16be FILE...
	"encode": cmdEncode,
	// images REPOSITORY
	"images": cmdImages,
	// attached REPOSITORY
	"attached": cmdAttached,
	// calls
	"calls": cmdCalls,
	// answer OPERATION FILE
	"answer": cmdAnswer,
	// registry replace FILE [ACCOUNT]
	// registry member FILE ACCOUNT
	// registry push|tag|untag|pull|remove|label|drop|attach|share|fail|refuse|clock ARG...
	"registry": cmdRegistry,
	// before OPERATION N push|tag|untag|pull|remove|label|drop|attach|share|fail|refuse|clock ARG...
	"before": cmdBefore,
}

// cmdExits runs a program that must end with the status.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// cmdSuggested runs the last command line that the program before suggested on its standard
// error stream, or on its standard output, with "run: ". It must end with the status.
func cmdSuggested(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: suggested STATUS")
	}
	text := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	at := strings.LastIndex(text, "run: ")
	if at < 0 {
		ts.Fatalf("no command line in %q", text)
	}
	line, _, _ := strings.Cut(text[at+len("run: "):], "\n")
	ts.Logf("> %s", line)
	cmdExits(ts, false, []string{args[0], "sh", "-c", line})
}

// cmdWithin is exits for a program that must end in time.
func cmdWithin(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: within DURATION STATUS PROGRAM ARG...")
	}
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	start := time.Now()
	cmdExits(ts, neg, args[1:])
	if took := time.Since(start); took > limit {
		ts.Fatalf("took %s", took)
	}
}

// cmdCluster starts a Kubernetes API server with a pod that runs the image, and writes a
// kubeconfig for it. The user of the context exec logs in with a program.
func cmdCluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cluster FILE IMAGE")
	}
	api := inusetest.StartKubernetes(args[1])
	ts.Defer(api.Close)
	text, err := json.Marshal(inusetest.Object{
		"current-context": "prod",
		"clusters":        []inusetest.Object{{"name": "prod", "cluster": inusetest.Object{"server": api.URL, "certificate-authority-data": api.Authority()}}},
		"contexts": []inusetest.Object{
			{"name": "prod", "context": inusetest.Object{"cluster": "prod", "user": "token"}},
			{"name": "exec", "context": inusetest.Object{"cluster": "prod", "user": "exec"}},
		},
		"users": []inusetest.Object{
			{"name": "token", "user": inusetest.Object{"token": "secret"}},
			{"name": "exec", "user": inusetest.Object{"exec": inusetest.Object{
				"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": "cat", "args": []string{"credential.json"},
			}}},
		},
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

// cmdHarmless checks that a file, usually stdout or stderr, has lines of printable characters only.
func cmdHarmless(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: harmless FILE")
	}
	text := ts.ReadFile(args[0])
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		ts.Fatalf("%s has %q at byte %d", args[0], []rune(text[i:])[0], i)
	}
}
