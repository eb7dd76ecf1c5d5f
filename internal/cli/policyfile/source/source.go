// Package source finds the lifecycle policies in files: policies as JSON, Terraform and
// OpenTofu, CloudFormation templates, and the directory cdk.out of the AWS CDK. It reads
// literals only. It reports any other policy as not read, with the reason.
package source

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/place"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// MaxBytes is the maximum length of a file with other text than a policy. A longer one is an
// error.
const MaxBytes = 4 << 20

// A Policy is one policy of a file, or the problem of a file that cannot be parsed.
type Policy struct {
	File    string
	Address string // of the resource; "" for a file that is a policy
	NotRead bool   // the text depends on values that the files do not have
	// Problems say why there is no Text. Their lines are those of File.
	Problems       jsondoc.Problems
	place.Spelling // of the JSON text; empty if there are Problems
}

// A Reader returns the content of a file. It may cut a file after MaxBytes+1 bytes.
type Reader func(name string) ([]byte, error)

// limited refuses a file that may be cut.
func (r Reader) limited(name string) ([]byte, error) {
	content, err := r(name)
	return content, cmp.Or(err, tooLong(name, content))
}

func tooLong(name string, content []byte) error {
	if len(content) > MaxBytes {
		return exit.Usagef("%s has more than %d MiB; save the policy in a file of its own, and check that file", name, MaxBytes>>20)
	}
	return nil
}

// Read returns the policies of files and directories. Each of them must have one, except
// for a Terraform file beside others.
func Read(names []string, read Reader) (policies []Policy, err error) {
	var empty []string
	for _, name := range names {
		found, err := find(name, read)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && (!isTerraform(name) || len(names) == 1) {
			empty = append(empty, name)
		}
		policies = append(policies, found...)
	}
	if len(policies) == 0 && len(empty) == 0 {
		empty = names
	}
	if len(empty) > 0 {
		return nil, exit.Usagef("no lifecycle policy found in %s: check looks for aws_ecr_lifecycle_policy, %s and aws_ecr_repository_creation_template in "+
			"Terraform, and for %s with a LifecyclePolicy in templates; name the directory that has them, such as a module's or cdk.out",
			strings.Join(empty, ", "), documentType, repositoryType)
	}
	return policies, nil
}

// find returns the policies of a file or a directory.
func find(name string, read Reader) ([]Policy, error) {
	if info, err := os.Stat(name); name != "-" && err == nil && info.IsDir() {
		return directory(name, read.limited, true)
	}
	if isTerraform(name) {
		return terraform(filepath.Dir(name), name, read.limited)
	}
	content, err := read(name)
	if err != nil {
		return nil, err
	}
	if isYAML(name) || templateText.Match(content) {
		return template(name, content), tooLong(name, content)
	}
	return []Policy{{File: name, Spelling: place.Spelling{Text: content}}}, nil
}

// templateText matches a CloudFormation template in JSON or YAML.
var templateText = regexp.MustCompile(`"Resources"\s*:|(?m)^Resources\s*:`)

// directory returns the policies of a Terraform module, or of the templates in a directory
// and in the nested assemblies of a cdk.out.
func directory(folder string, read Reader, module bool) (policies []Policy, err error) {
	if module {
		if policies, err = terraform(folder, "", read); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, exit.Usagef("%w", err)
	}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		var found []Policy
		switch {
		case entry.IsDir() && strings.HasPrefix(entry.Name(), "assembly-"):
			found, err = directory(name, read, false)
		case !entry.IsDir() && (isYAML(name) || strings.HasSuffix(name, ".template.json")):
			var content []byte
			content, err = read(name)
			if bytes.Contains(content, []byte(repositoryType)) { // the name of the other type begins with it
				found = template(name, content)
			}
		}
		if err != nil {
			return nil, err
		}
		policies = append(policies, found...)
	}
	return policies, nil
}

func isTerraform(name string) bool {
	name = strings.TrimSuffix(name, ".json")
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tofu")
}

func isYAML(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".template"}, filepath.Ext(name))
}

// A reason names the value that a policy depends on, and its place.
type reason struct {
	what string
	file string
	line int
}

func (r *reason) Error() string { return "not read: depends on " + r.what }

// policy returns a policy that is not read. The place is that of the resource's value.
func (r *reason) policy(file, address string, line, column int) Policy {
	message := fmt.Sprintf("%s, line %d", r.Error(), r.line)
	if r.file != file {
		message += " of " + r.file
	}
	return Policy{File: file, Address: address, NotRead: true, Problems: jsondoc.Problems{{Line: line, Column: column, Message: message}}}
}
