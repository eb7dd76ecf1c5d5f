#!/usr/bin/env bash
# Prints the share of statements covered in each package of a coverage profile
# and fails when one is below its floor: 100% for the packages that decide what
# is deleted, 85% for all others.
set -euo pipefail

profile=${1:?usage: cover.sh PROFILE}

# A block may be listed more than once; it is covered if one of the lines says so.
tail -n +2 "$profile" | awk -v module="$(go list -m)/" '
	{
		statements[$1] = $2
		if ($3 > 0) covered[$1] = 1
	}
	END {
		for (block in statements) {
			package = block
			sub(/\/[^\/]*$/, "", package)
			sub(module, "", package)
			total[package] += statements[block]
			if (block in covered) hit[package] += statements[block]
		}
		for (package in total) {
			floor = package ~ /^internal\/(lifecycle|evaluator)$/ ? 100 : 85
			share = 100 * hit[package] / total[package]
			# Rounded down: 99.96% is not 100%.
			printf "%-28s %6.1f%%  floor %3d%%  %s\n", package, int(share * 10) / 10, floor, share < floor ? "BELOW" : "ok"
		}
	}
' | sort | {
	status=0
	while IFS= read -r line; do
		printf '%s\n' "$line"
		case $line in *BELOW) status=1 ;; esac
	done
	exit "$status"
}
