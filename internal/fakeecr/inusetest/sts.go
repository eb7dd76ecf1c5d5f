package inusetest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// SessionSecret is the secret access key of all sessions of roles.
const SessionSecret = "s"

// STS plays AWS STS. It gives credentials for the roles of every account.
type STS struct {
	// Refuse returns the status, the code and the message of a refusal, or the status 0.
	Refuse func(form url.Values) (status int, code, message string)
	Life   time.Duration // of credentials; 0 is an hour

	mu      sync.Mutex
	assumed []url.Values
}

// Assumed returns the calls of AssumeRole, those that were refused too.
func (s *STS) Assumed() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values{}, s.assumed...)
}

// ServeHTTP implements [http.Handler].
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *STS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		panic(err)
	}
	action := r.PostForm.Get("Action")
	caller := "123456789012:assumed-role/cleaner/session"
	if account, _, _ := Signer(r); account != "" {
		caller = account + ":assumed-role/ecr-cleaner-member/session"
	}
	result := "<Arn>arn:aws:sts::" + caller + "</Arn>"
	if action == "AssumeRole" {
		s.mu.Lock()
		s.assumed = append(s.assumed, r.PostForm)
		s.mu.Unlock()
		role := r.PostForm.Get("RoleArn")
		life := s.Life
		if life == 0 {
			life = time.Hour
		}
		result = fmt.Sprintf("<Credentials><AccessKeyId>ROLE%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>t</SessionToken>"+
			"<Expiration>%s</Expiration></Credentials>", strings.Split(role, ":")[4], SessionSecret, time.Now().Add(life).UTC().Format(time.RFC3339)) //nolint:forbidigo // the SDK compares it with the machine's clock
	}
	if s.Refuse != nil {
		if status, code, message := s.Refuse(r.PostForm); status != 0 {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
			return
		}
	}
	fmt.Fprintf(w, "<%sResponse><%sResult>%s</%sResult></%sResponse>", action, action, result, action, action)
}

// Signer returns who signed a request, and for what: the account of the role, or "" without
// an assumed role, the Region and the service.
func Signer(r *http.Request) (account, region, service string) {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if len(parts) != 5 {
		return "", "", ""
	}
	account, _ = strings.CutPrefix(parts[0], "ROLE")
	if account == parts[0] {
		account = ""
	}
	return account, parts[2], parts[3]
}
