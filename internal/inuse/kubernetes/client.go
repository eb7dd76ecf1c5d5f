package kubernetes

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second // until the answer begins
)

// NewTransport returns a transport to an API server. It uses a proxy in the environment,
// which cannot read or change an answer, because the config has the trusted authorities.
func NewTransport(trust *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:     trust,
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout: answerTimeout,
	}
}
