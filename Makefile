# Targets of the ECR cleaner. `make` without a target lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

ARCH ?= arm64
# The Python of make venv, or else the machine's Python with tools/requirements.txt.
VENV = dist/venv
PYTHON ?= $(shell [ -e $(VENV)/ready ] && echo $(abspath $(VENV))/bin/python || echo python3)
BASE_PYTHON ?= python3
FUZZTIME ?= 20s
BENCH ?= .
BENCHCOUNT ?= 6
BENCHTIME ?= 0.2s
# The packages with benchmarks. Those of the load server only show that it is fast enough.
BENCHED = ./internal/... ./bench
ROUNDS ?= 5
ONLY ?=
EVENT ?= events/plan-only.json
REGISTRIES ?= 100000
TESTFLAGS ?=

GOARCH_arm64 := arm64
GOARCH_x86_64 := amd64
LAMBDA_GOARCH = $(or $(GOARCH_$(ARCH)),$(error ARCH is $(ARCH); use arm64 or x86_64))

# What makes the function's binary small, and the same on every machine. AWS's
# generated code is called once per request, and its configuration and credentials
# once per start; neither is made faster by inlining.
BUILD_LAMBDA = GOOS=linux GOARCH=$(LAMBDA_GOARCH) CGO_ENABLED=0 go build \
	-tags lambda.norpc -trimpath -buildvcs=false -ldflags "-s -w -buildid=" \
	-gcflags 'github.com/aws/aws-sdk-go-v2/service/...=-l' \
	-gcflags 'github.com/aws/aws-sdk-go-v2/config/...=-l' -gcflags 'github.com/aws/aws-sdk-go-v2/credentials/...=-l' \
	-gcflags 'github.com/aws/aws-sdk-go-v2/feature/...=-l'

# tools/go.mod pins the tools. Go builds each version once, which takes some minutes for
# the linter, and keeps it in the build cache.
TOOL = go tool -modfile=tools/go.mod

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[A-Za-z-]+:.*## / {printf "%-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the command-line tool for this machine: dist/ecrclean
	go build -trimpath -o dist/ecrclean ./cmd/ecrclean

.PHONY: test
test: ## Run all tests
	go test -timeout 10m $(TESTFLAGS) ./...

.PHONY: lint
lint: ## Check format, style, imports and modules
	$(TOOL) golangci-lint run ./...
	go vet -tags integration ./...
	go vet -C tools ./...
	go mod tidy -diff
	go mod verify

.PHONY: fmt
fmt: ## Format the code
	$(TOOL) golangci-lint fmt

.PHONY: race
race: ## Run all tests with the race detector, in random order
	go test -race -shuffle=on -timeout 10m $(TESTFLAGS) ./...

.PHONY: cover
cover: ## Print each package's coverage; fail below the floor
	@mkdir -p dist
	go test -timeout 5m -covermode=atomic -coverprofile=dist/cover.out $(TESTFLAGS) $$(go list ./... | grep -Ev '/internal/(corpus|hostile|scenario|fakeecr/(awstest|fixture|inusetest))$$|/cmd/ecrclean$$|/bench/(loadserver|minimal)$$')
	go test -timeout 5m -covermode=atomic -coverprofile=dist/cover-cli.out -coverpkg ./cmd/ecrclean,./internal/cli/... $(TESTFLAGS) ./cmd/ecrclean
	@tail -n +2 dist/cover-cli.out >> dist/cover.out
	@scripts/cover.sh dist/cover.out

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (20s)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: hostile
hostile: ## Clean REGISTRIES (100000) random registries while their images change and calls fail
	go test -count=1 -timeout 60m ./internal/hostile -registries $(REGISTRIES) $(TESTFLAGS)

.PHONY: mutants
mutants: ## Break the cleaner in some ninety ways; the hostile test must notice each
	$(PYTHON) scripts/mutants.py

.PHONY: bench
bench: ## Run the benchmarks into bench/new.txt and compare with bench/base.txt
	@mkdir -p bench
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) -benchtime $(BENCHTIME) $(BENCHED) | tee bench/new.txt
	$(TOOL) benchstat $(wildcard bench/base.txt) bench/new.txt

.PHONY: performance
performance: LAMBDA_GOARCH = $(shell go env GOARCH)
performance: sizes ## Measure the table of docs/performance.md; ONLY=NAME for one row
	go build -trimpath -o dist/bench/ ./cmd/ecrclean ./bench/loadserver ./bench/compare
	$(BUILD_LAMBDA) -o dist/bench/bootstrap ./cmd/cleaner
	$(BUILD_LAMBDA) -o dist/bench/minimal ./bench/minimal
	dist/bench/compare -dir dist/bench -python $(PYTHON) -rounds $(ROUNDS) -only '$(ONLY)'

.PHONY: sizes
sizes: ## Print the sizes of the function's binary and zip for both architectures
	@for arch in arm64 x86_64; do \
		mkdir -p "dist/bench/$$arch"; \
		$(MAKE) --no-print-directory -s build-CleanerFunction ARCH="$$arch" ARTIFACTS_DIR="dist/bench/$$arch"; \
		echo "$$arch:"; go run -C tools ./lambdazip "../dist/bench/$$arch/bootstrap" "../dist/bench/$$arch/cleaner.zip"; \
	done

.PHONY: demo
demo: ## Plan and apply on the embedded registry; no AWS account
	go run ./cmd/ecrclean demo

.PHONY: invoke
invoke: ## Run the Lambda handler here on EVENT=events/FILE.json
	go run ./cmd/ecrclean invoke $(EVENT)

.PHONY: integration
integration: ## Run the end-to-end tests, also against moto's server
	PYTHON='$(PYTHON)' PATH="$(abspath $(VENV))/bin:$$PATH" go test -tags integration -count=1 -timeout 10m $(TESTFLAGS) ./integration/... ./internal/inuse/...

# The module of these tests has requirements of its own. Their build is cached.
.PHONY: integration-kubernetes
integration-kubernetes: ## Run the tests against kube-apiserver, which the first run builds in minutes
	go mod tidy -C integration/kubernetes -diff
	go vet -C integration/kubernetes ./...
	go test -C integration/kubernetes -count=1 -timeout 20m $(TESTFLAGS) ./...

.PHONY: venv
venv: $(VENV)/ready ## Install tools/requirements.txt into dist/venv, which integration and validate use

# The virtual environment does not use the machine's packages.
$(VENV)/ready: tools/requirements.txt
	rm -rf $(VENV)
	env -u PYTHONPATH -u PYTHONHOME $(BASE_PYTHON) -m venv $(VENV)
	env -u PYTHONPATH -u PYTHONHOME -u PIP_USER -u PIP_TARGET $(VENV)/bin/python -m pip install --disable-pip-version-check --quiet -r tools/requirements.txt || { \
		echo "venv: pip could not install tools/requirements.txt; pip says why above: check the network and pip's configuration" >&2; exit 1; }
	touch $@

.PHONY: validate
validate: ## Translate, lint and check the templates; needs make venv, or cfn-lint and aws-sam-translator
	$(PYTHON) scripts/validate.py

.PHONY: golden
golden: ## Rewrite the expectations of golden tests and show the difference
	@for dir in $$(grep -rlE --include='*_test.go' 'flag.Bool\("update"|/internal/corpus"' cmd internal examples | xargs -n 1 dirname | sort -u); do \
		echo go test "./$$dir" -update; go test "./$$dir" -update || exit 1; \
	done
	git diff --stat

.PHONY: package
package: ## Build the function's zip for ARCH (arm64): dist/cleaner.zip
	$(BUILD_LAMBDA) -o dist/bootstrap ./cmd/cleaner
	@go run -C tools ./lambdazip ../dist/bootstrap ../dist/cleaner.zip

.PHONY: build-CleanerFunction
build-CleanerFunction: ## Build the function's binary for ARCH, as sam build needs it
	$(BUILD_LAMBDA) -o $(or $(ARTIFACTS_DIR),$(error ARTIFACTS_DIR is not set; sam build sets it))/bootstrap ./cmd/cleaner

.PHONY: ci
ci: FUZZTIME = 10s
ci: venv test lint race cover hostile fuzz integration integration-kubernetes validate demo package ## Run everything that a change must pass

.PHONY: clean
clean: ## Remove dist/
	rm -rf dist
