package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws/credentials"
	sigv4 "github.com/aws/aws-sdk-go/aws/signer/v4"
)

// sts answers requests as STS does: the file of the cluster has the access keys. It signs the
// request again with the signer of AWS's older SDK, which the cleaner does not use.
type sts struct{ file string }

type object = map[string]any

// RoundTrip implements [http.RoundTripper].
func (s sts) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusOK
	var answer object
	if arn, err := s.caller(r); err != nil {
		status, answer = http.StatusForbidden, object{"Error": object{"Message": err.Error()}}
	} else {
		account, session := strings.Split(arn, ":")[4], arn[strings.LastIndexByte(arn, '/')+1:]
		answer = object{"GetCallerIdentityResponse": object{"GetCallerIdentityResult": object{
			"Account": account, "Arn": arn, "UserId": "AROAEXAMPLE:" + session,
		}}}
	}
	text, err := json.Marshal(answer)
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)),
	}, err
}

// caller returns the ARN of the caller whose key signed the URL of the request.
func (s sts) caller(r *http.Request) (string, error) {
	c, err := readCluster(s.file)
	if err != nil {
		return "", err
	}
	q := r.URL.Query()
	scope := strings.Split(q.Get("X-Amz-Credential"), "/")
	if len(scope) != 5 || scope[2] != c.Region || scope[3] != "sts" || scope[4] != "aws4_request" {
		return "", fmt.Errorf("the credential is %q; want ID/DATE/%s/sts/aws4_request", q.Get("X-Amz-Credential"), c.Region)
	}
	key, known := c.AccessKeys[scope[0]]
	if !known {
		return "", fmt.Errorf("the access key %s is unknown", scope[0])
	}
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if age := time.Since(at); err != nil || age > 15*time.Minute || age < -5*time.Minute {
		return "", fmt.Errorf("the request is of %s", q.Get("X-Amz-Date"))
	}
	signature, err := presign(r, scope[0], key.Secret, c.Region, at)
	if err != nil {
		return "", err
	}
	if signature != q.Get("X-Amz-Signature") {
		return "", fmt.Errorf("the signature is %s, want %s", q.Get("X-Amz-Signature"), signature)
	}
	return key.ARN, nil
}

// presign returns the signature that the request must have.
func presign(r *http.Request, id, secret, region string, at time.Time) (string, error) {
	signed, unsigned := r.URL.Query(), url.Values{}
	for name, values := range signed {
		if !strings.HasPrefix(name, "X-Amz-") {
			unsigned[name] = values
		}
	}
	again := &http.Request{Method: r.Method, Host: r.URL.Host, Header: http.Header{}}
	again.URL = &url.URL{Scheme: "https", Host: r.URL.Host, Path: "/", RawQuery: unsigned.Encode()}
	for name := range strings.SplitSeq(signed.Get("X-Amz-SignedHeaders"), ";") {
		if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	expires, err := strconv.Atoi(signed.Get("X-Amz-Expires"))
	if err != nil {
		return "", err
	}
	signer := sigv4.NewSigner(credentials.NewStaticCredentials(id, secret, signed.Get("X-Amz-Security-Token")))
	_, err = signer.Presign(again, nil, "sts", region, time.Duration(expires)*time.Second, at)
	return again.URL.Query().Get("X-Amz-Signature"), err
}
