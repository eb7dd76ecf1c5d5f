package fakeecr

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// The server also has one operation of AWS STS, so that callers can find out whether the
// pull-time exclusion is their own. STS uses AWS's query protocol: requests are forms and
// answers are XML.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
const (
	getCallerIdentity = "GetCallerIdentity"
	queryContentType  = "application/x-www-form-urlencoded"
	xmlContentType    = "text/xml"
	stsVersion        = "2011-06-15"
)

// roleARN and sessionARN are the ARNs of every caller.
func (s *Server) roleARN() string { return "arn:aws:iam::" + s.account + ":role/cleaner" }

func (s *Server) sessionARN() string {
	return "arn:aws:sts::" + s.account + ":assumed-role/cleaner/session"
}

type callerIdentityResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type queryErrorResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

func isQuery(r *http.Request) bool {
	return r.Header.Get("X-Amz-Target") == "" && r.Header.Get("Content-Type") == queryContentType
}

// serveQuery answers one call of the query protocol.
func (s *Server) serveQuery(w http.ResponseWriter, r *http.Request) {
	name, err := readQuery(w, r)
	if err == nil {
		err = s.callerIdentity(r.Context(), name)
	}
	if errors.Is(err, context.Canceled) {
		return
	}
	s.controls.count(name)
	if f, refused := errors.AsType[*fault](err); refused {
		writeXML(w, f.httpStatus(), queryErrorResponse{Type: "Sender", Code: f.code, Message: f.message, RequestID: requestID})
		return
	}
	writeXML(w, http.StatusOK, callerIdentityResponse{
		ARN: s.sessionARN(), UserID: "AROAFAKEECRCLEANER000:session", Account: s.account, RequestID: requestID,
	})
}

// callerIdentity delays the call, and refuses it if the test says so.
func (s *Server) callerIdentity(ctx context.Context, name string) error {
	if err := s.admit(ctx, name); err != nil {
		return err
	}
	return s.permit(name, "")
}

// readQuery returns the action of a form. A form with other parameters than those of
// GetCallerIdentity is an error.
func readQuery(w http.ResponseWriter, r *http.Request) (action string, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return "", &fault{code: "MalformedQueryString", message: err.Error()}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", &fault{code: "MalformedQueryString", message: err.Error()}
	}
	action, version := form.Get("Action"), form.Get("Version")
	if r.Method != http.MethodPost || r.URL.Path != "/" || action != getCallerIdentity || version != stsVersion {
		return action, &fault{code: "InvalidAction", message: "Could not find operation " + action + " for version " + version}
	}
	for name, values := range form {
		if name != "Action" && name != "Version" || len(values) != 1 {
			return action, &fault{code: "MalformedQueryString", message: "unknown or repeated parameter " + name}
		}
	}
	return action, nil
}

func writeXML(w http.ResponseWriter, status int, answer any) {
	body, err := xml.Marshal(answer)
	if err != nil {
		panic("fakeecr: " + err.Error())
	}
	w.Header().Set("Content-Type", xmlContentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("X-Amzn-RequestId", requestID)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may have gone
}
