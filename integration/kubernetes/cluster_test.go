package kubernetes_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

type object = inusetest.Object

const (
	clusterName = "prod"
	adminToken  = "admin-token"
	// The access keys of two roles. Only the first role has an access entry.
	cleanerKey, otherKey, secret = "AKIACLEANER", "AKIAOTHER", "secret"
	cleanerRole                  = "arn:aws:iam::123456789012:role/cleaner"
	cleanerUser                  = "arn:aws:sts::123456789012:assumed-role/cleaner/session"
	cleanerGroup                 = "ecr-cleaner"
	// The role in another account, and the access key of its sessions.
	memberRole = "arn:aws:iam::222222222222:role/ecr-cleaner-member"
	memberKey  = "ROLE222222222222"
)

// A cluster is an API server that authenticates as an EKS cluster does. It has the
// namespace prod, and ends with its test.
type cluster struct {
	*testing.T
	dir    string
	region string
	url    string
	ca     authority
	client *http.Client
	log    *bytes.Buffer
}

// start starts a cluster whose kube-apiserver has these additional flags.
func start(t *testing.T, flags ...string) *cluster {
	t.Helper()
	return startIn(t, inusetest.Region, flags...)
}

// startIn is start with another Region, for whose STS the tokens have to be.
func startIn(t *testing.T, region string, flags ...string) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "kubernetes-") //nolint:usetesting // a folder with the test's name is too long for a socket
	awstest.NoError(t, err)
	c := &cluster{T: t, dir: dir, region: region, ca: newAuthority(t), log: &bytes.Buffer{}}
	c.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: c.ca.pool()}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 32,
	}}
	pair := c.ca.server(t)
	c.write("ca.crt", c.ca.PEM())
	c.write("server.crt", certificatePEM(pair.Certificate[0]))
	c.write("server.key", keyPEM(t, pair.PrivateKey.(*ecdsa.PrivateKey)))
	c.write("tokens.csv", []byte(adminToken+`,admin,admin,"system:masters"`))
	c.grant(cleanerRole)
	c.run(append([]string{"-dir", dir, "-eks", filepath.Join(dir, "eks.json"), "--"}, flags...))
	c.create("/api/v1/namespaces", object{"metadata": object{"name": "prod"}})
	return c
}

// grant gives the roles, and no others, an access entry with the group ecr-cleaner.
func (c *cluster) grant(roles ...string) {
	c.Helper()
	entries := object{}
	for _, role := range roles {
		session := strings.NewReplacer(":iam:", ":sts:", ":role/", ":assumed-role/").Replace(role) + "/{{SessionName}}"
		entries[role] = object{"UserName": session, "Groups": []string{cleanerGroup}}
	}
	text, err := json.Marshal(object{
		"Name": clusterName, "Region": c.region, "AccessEntries": entries,
		"AccessKeys": object{
			cleanerKey: object{"Secret": secret, "ARN": cleanerUser},
			otherKey:   object{"Secret": secret, "ARN": "arn:aws:sts::123456789012:assumed-role/other/session"},
			memberKey:  object{"Secret": inusetest.SessionSecret, "ARN": "arn:aws:sts::222222222222:assumed-role/ecr-cleaner-member/session"},
		},
	})
	awstest.NoError(c, err)
	c.write("eks.json", text)
}

func (c *cluster) write(name string, content []byte) {
	c.Helper()
	awstest.NoError(c, os.WriteFile(filepath.Join(c.dir, name), content, 0o600))
}

// run starts the process and waits until the API server is ready.
func (c *cluster) run(args []string) {
	c.Helper()
	server := exec.Command(filepath.Join(programs, "apiserver"), args...)
	server.Stderr = c.log
	stdin, err := server.StdinPipe()
	awstest.NoError(c, err)
	stdout, err := server.StdoutPipe()
	awstest.NoError(c, err)
	awstest.NoError(c, server.Start())
	c.Cleanup(func() {
		_ = stdin.Close() // the process ends by that, and removes its folder
		_ = server.Wait()
		if c.Failed() {
			c.Logf("the end of the API server's log:\n%s", c.log.Bytes()[max(0, c.log.Len()-4000):])
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if c.url = strings.TrimSpace(line); err != nil {
		_ = server.Wait()
		c.Fatalf("the API server did not start: %v\n%s", err, c.log)
	}
	c.until("the API server is ready", func() bool { return c.get("/readyz").status == http.StatusOK })
}

// until waits until the condition holds.
func (c *cluster) until(what string, condition func() bool) {
	c.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !condition(); {
		select {
		case <-tick.C:
		case <-limit:
			c.Fatalf("not after a minute: %s", what)
		}
	}
}
