#!/usr/bin/env bash
# Prints the covered share of the statements of each package in a coverage profile.
# Fails if a share is below its floor: 100% for lifecycle and evaluator, which decide
# which images expire, and 85% for all other packages.
set -euo pipefail

profile=${1:?usage: cover.sh PROFILE}

# A block with several lines in the profile is covered if one of the lines says so.
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
