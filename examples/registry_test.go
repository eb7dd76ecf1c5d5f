package examples_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// An environment answers the calls that a plan makes: of ECR and STS by the embedded
// registry, and of ECS, Lambda and S3 from the sections of a fixture.
type environment struct {
	registry    *fakeecr.Server
	ecs, lambda []string // references to images: one task or function for each
	s3          awstest.S3
}

// newEnvironment reads the sections of a fixture. Each row of images is an image with its
// repository, name (hexadecimal digits, the beginning of its digest), age, age of the last
// pull, tags, and children=NAME,... or subject=NAME.
func newEnvironment(t *testing.T, archive *txtar.Archive) *environment {
	t.Helper()
	now := time.Now()
	e := &environment{registry: fakeecr.New(), s3: awstest.S3{Objects: map[string]string{}, Modified: now}}
	e.registry.ExcludePulls(true)
	labels := map[string]map[string]string{}
	for _, f := range archive.Files {
		switch text := string(f.Data); f.Name {
		case "ecs":
			e.ecs = strings.Fields(text)
		case "lambda":
			e.lambda = strings.Fields(text)
		case "repository tags":
			for _, row := range table(text) {
				key, value, _ := strings.Cut(row[1], "=")
				labels[row[0]] = map[string]string{key: value}
			}
		case "images":
			seen := map[string]bool{}
			for _, row := range table(text) {
				if !seen[row[0]] {
					seen[row[0]] = true
					e.registry.CreateRepository(row[0])
					e.registry.TagRepository(row[0], labels[row[0]])
				}
				e.registry.Put(row[0], imageOf(t, row))
			}
		default:
			e.s3.Objects[f.Name] = strings.ReplaceAll(text, "NOW", now.Format(time.RFC3339))
		}
	}
	return e
}

// table returns the cells of each line, without the line of column names.
func table(text string) [][]string {
	var rows [][]string
	for line := range strings.Lines(text) {
		if cells := strings.Fields(line); cells[0] != "#" {
			rows = append(rows, cells)
		}
	}
	return rows
}

func imageOf(t *testing.T, row []string) fakeecr.Image {
	t.Helper()
	before := func(age string) time.Time {
		if days, isDays := strings.CutSuffix(age, "d"); isDays {
			n, err := strconv.Atoi(days)
			awstest.NoError(t, err)
			return time.Now().AddDate(0, 0, -n)
		}
		d, err := time.ParseDuration(age)
		awstest.NoError(t, err)
		return time.Now().Add(-d)
	}
	im := fakeecr.Image{Digest: digest(row[1]), PushedAt: before(row[2])}
	if row[3] != "-" {
		im.LastRecordedPullTime = before(row[3])
	}
	if row[4] != "-" {
		im.Tags = strings.Split(row[4], ",")
	}
	for i, tag := range im.Tags {
		if subject, isSignature := strings.CutPrefix(tag, "signature-of-"); isSignature {
			im.Tags[i] = strings.Replace(digest(subject), ":", "-", 1) + ".sig" // cosign's scheme
		}
	}
	switch kind, names, _ := strings.Cut(row[5], "="); kind {
	case "children":
		for name := range strings.SplitSeq(names, ",") {
			im.Children = append(im.Children, digest(name))
		}
	case "subject":
		im.SubjectDigest = digest(names)
	}
	return im
}

func digest(name string) string { return "sha256:" + name + strings.Repeat("0", 64-len(name)) }

func (e *environment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	functions, isLambda := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions")
	isObject := strings.HasPrefix(r.URL.Path, "/example-bucket/")
	switch {
	case strings.HasPrefix(service, "AmazonEC2ContainerService"):
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		answer := e.ecsAnswer(operation)
		if answer == nil {
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"__type": "UnknownOperationException"}
		}
		e.answer(w, answer)
	case isLambda:
		e.answer(w, e.lambdaAnswer(functions))
	case isObject:
		e.s3.ServeHTTP(w, r)
	default:
		e.registry.ServeHTTP(w, r)
	}
}

func (*environment) answer(w http.ResponseWriter, document any) {
	_ = json.NewEncoder(w).Encode(document) // the program checks what it reads
}

type object map[string]any

// ecsAnswer describes one cluster whose only tasks run the images.
func (e *environment) ecsAnswer(operation string) object {
	const arn = "arn:aws:ecs:eu-west-1:123456789012:"
	names, tasks := []string{}, []object{}
	for i, image := range e.ecs {
		names = append(names, fmt.Sprint(arn, "task/prod/", i))
		tasks = append(tasks, object{"taskArn": names[i], "containers": []object{{"image": image}}})
	}
	return map[string]object{
		"ListClusters":               {"clusterArns": []string{arn + "cluster/prod"}},
		"ListTasks":                  {"taskArns": names},
		"DescribeTasks":              {"tasks": tasks},
		"ListServices":               {"serviceArns": []string{}},
		"ListTaskDefinitionFamilies": {"families": []string{}},
	}[operation]
}

// lambdaAnswer lists the functions, or has the image of one.
func (e *environment) lambdaAnswer(path string) object {
	name, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	if rest == "aliases" {
		return object{"Aliases": []object{}}
	}
	functions := []object{}
	for i, image := range e.lambda {
		f := object{
			"FunctionName": fmt.Sprint("f", i), "Version": "$LATEST", "PackageType": "Image",
			"FunctionArn": fmt.Sprint("arn:aws:lambda:eu-west-1:123456789012:function:f", i, ":$LATEST"),
		}
		if f["FunctionName"] == name {
			return object{"Configuration": f, "Code": object{"ImageUri": image, "ResolvedImageUri": image}}
		}
		functions = append(functions, f)
	}
	return object{"Functions": functions}
}
