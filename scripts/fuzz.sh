#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time (20s) or the given
# number of inputs (10000x), one after the other.
set -euo pipefail

fuzztime=${1:?usage: fuzz.sh TIME}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# When the time is up, go test may report its own deadline as a failure of the
# target: https://go.dev/issue/75804, mended in Go 1.27. A finding always comes
# with the input that failed.
only_out_of_time() {
	grep -aqx ' *context deadline exceeded' "$log" && ! grep -aqE 'Failing input written|panic:' "$log"
}

# go test -list prints the names of a package's targets, then its "ok" line.
targets=$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ {names[++n] = $1} /^ok/ {for (i = 1; i <= n; i++) print $2, names[i]; n = 0}')
if [ -z "$targets" ]; then
	echo "fuzz: no fuzz target found" >&2
	exit 1
fi
while read -r package name; do
	echo "fuzz: $package $name for $fuzztime"
	if ! go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "$package" 2>&1 </dev/null | tee "$log" && ! only_out_of_time; then
		exit 1
	fi
done <<<"$targets"
