#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for a time such as 20s or a
# number of inputs such as 10000x.
set -euo pipefail

fuzztime=${1:?usage: fuzz.sh TIME}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# At the end of the time, go test may report its own deadline as a failure of the target:
# https://go.dev/issue/75804, fixed in Go 1.27. A real failure names its input.
only_out_of_time() {
	grep -aqx ' *context deadline exceeded' "$log" && ! grep -aqE 'Failing input written|panic:' "$log"
}

# go test -list prints the targets of a package, and then a line that begins with ok.
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
