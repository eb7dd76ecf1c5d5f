// Package cleaner runs the cleaner over the registry of one account and Region.
//
// In comes a [Runner] with the configuration, the registry and, unless the run only plans,
// a Remover. Out comes a [report.Report]. A run lists the repositories, plans each one,
// grants the plans their part of the limits, applies them and reports on them. Package
// plan decides about images, and package apply removes them.
package cleaner
