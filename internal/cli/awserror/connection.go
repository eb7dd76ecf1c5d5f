package awserror

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// connection explains a call without an answer.
func (s Settings) connection(err error) string {
	if invalid := invalidEndpoint.FindStringSubmatch(err.Error()); invalid != nil {
		return fmt.Sprintf("Invalid endpoint: %s; correct %s, which begins with http:// or https://", invalid[1], s.setting(err, invalid[1]))
	}
	if _, unreadable := errors.AsType[*smithy.DeserializationError](err); unreadable {
		return Clean(err.Error()) + "; the answer is not complete, or this is no server of AWS: run again, or check HTTPS_PROXY and " + s.setting(err, "")
	}
	call, ok := errors.AsType[*url.Error](err)
	if !ok {
		return ""
	}
	region, isAWS := regionIn(call.URL)
	setting := s.setting(err, call.URL)
	if !isAWS && setting == "" {
		return "" // it is not a call of AWS
	}
	if isAWS {
		setting = ""
	}
	network, _ := errors.AsType[*net.OpError](err)
	_, unknownHost := errors.AsType[*net.DNSError](err)
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	could := fmt.Sprintf("Could not connect to the endpoint URL: %q", call.URL)
	const environment = "check the network, the DNS and HTTPS_PROXY"
	switch {
	case network != nil && network.Op == "proxyconnect":
		return fmt.Sprintf("Failed to connect to the proxy: %v; correct or unset HTTPS_PROXY", network.Err)
	case untrusted:
		return fmt.Sprintf("SSL validation failed for %s: %v; name the certificates of your proxy in AWS_CA_BUNDLE", call.URL, certificate.Err)
	case unknownHost && setting != "":
		return could + "; its host does not resolve: correct or unset " + setting
	case unknownHost && known(region):
		return fmt.Sprintf("%s; its host does not resolve, although the Region %s exists: %s", could, region, environment)
	case unknownHost:
		return fmt.Sprintf("%s; its host does not resolve: the Region %s is not known%s", could, region, didYouMean(region))
	case errors.Is(err, syscall.ECONNREFUSED) && setting != "":
		return could + "; nothing listens there: start the server, or correct or unset " + setting
	case errors.Is(err, syscall.ECONNREFUSED):
		return could + "; the connection is refused: " + environment
	case network != nil && network.Op == "dial" && network.Timeout():
		return fmt.Sprintf("Connect timeout on endpoint URL: %q; %s", call.URL, environment)
	}
	return ""
}

var invalidEndpoint = regexp.MustCompile(`Failed to parse uri: (\S*)`)

// setting names what sets the endpoint with this URL. It returns "" if the call is none of AWS.
func (s Settings) setting(err error, address string) string {
	operation, isCall := errors.AsType[*smithy.OperationError](err)
	names := []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL"}
	if isCall {
		names = []string{"AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(operation.ServiceID, " ", "_")), "AWS_ENDPOINT_URL"}
	}
	for _, name := range names {
		if endpoint := s.Getenv(name); endpoint != "" && (isCall || strings.HasPrefix(address, endpoint)) {
			return name
		}
	}
	if isCall {
		return "endpoint_url in the AWS config file"
	}
	return ""
}

// regionIn returns the Region in the URL of an AWS endpoint.
func regionIn(address string) (region string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	host := u.Hostname()
	for labels := strings.Split(host, "."); len(labels) > 1; labels = labels[1:] {
		if strings.Join(labels, ".") == reference.Domain(labels[0]) {
			return labels[0], true
		}
	}
	return "", false
}

// region explains that no Region is set, or that its name cannot be one.
func (s Settings) region(err error) string {
	if errors.Is(err, awsclient.ErrNoRegion) {
		return `You must specify a region; set AWS_REGION, give --region, or run "aws configure` + s.option() + `"`
	}
	if invalid := invalidRegion.FindStringSubmatch(err.Error()); invalid != nil {
		return fmt.Sprintf("Provided region_name '%s' doesn't match a supported format%s", invalid[1], didYouMean(invalid[1]))
	}
	return ""
}

var invalidRegion = regexp.MustCompile(`invalid input region (.*)$`)
