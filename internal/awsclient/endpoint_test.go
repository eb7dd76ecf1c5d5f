package awsclient_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// Endpoints have the sources of the SDK's own clients, in the same order.
func TestEndpointsOfTheServices(t *testing.T) {
	const one, all = "http://127.0.0.1:1", "http://127.0.0.1:2"
	for name, test := range map[string]struct {
		env    map[string]string
		shared string
		want   string // of SSM
	}{
		"none":                         {nil, "", "https://ssm.eu-west-1.amazonaws.com"},
		"of all":                       {map[string]string{"AWS_ENDPOINT_URL": all}, "", all},
		"of the service":               {map[string]string{"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_SSM": one}, "", one},
		"of the service alone":         {map[string]string{"AWS_ENDPOINT_URL_SSM": one}, "", one},
		"of another service":           {map[string]string{"AWS_ENDPOINT_URL_S3": one}, "", "https://ssm.eu-west-1.amazonaws.com"},
		"in a file":                    {nil, one, one},
		"in a file, below the setting": {map[string]string{"AWS_ENDPOINT_URL": all}, one, all},
		"ignored": {
			map[string]string{"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_SSM": one, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
			one,
			"https://ssm.eu-west-1.amazonaws.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			awstest.Environment(t, "")
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			if test.shared != "" {
				file := filepath.Join(t.TempDir(), "config")
				text := "[default]\nservices = local\n[services local]\nssm =\n  endpoint_url = " + test.shared + "\n"
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Setenv("AWS_CONFIG_FILE", file)
			}
			cfg, host := unsent(load(t))
			if _, err := awsclient.GetParameter(t.Context(), cfg, "/x", now); err == nil || *host != test.want {
				t.Errorf("sent to %s, want %s (%v)", *host, test.want, err)
			}
		})
	}
}

func TestObjectsHaveAnEndpointOfTheirOwn(t *testing.T) {
	awstest.Environment(t, "http://127.0.0.1:2")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
	cfg, host := unsent(load(t))
	if _, err := get(t, cfg, "s3://bucket/key"); err == nil || *host != "http://127.0.0.1:1/bucket/key" {
		t.Errorf("sent to %s (%v)", *host, err)
	}
}
