package fleet

import (
	"strconv"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// The names of the objects of an execution.
func targetsName(execution string) string { return execution + "/targets.json" }

// PlacesName is an array of the places to ask, for the item reader of the first map.
func PlacesName(execution string) string { return execution + "/items/places.json" }

// RegistriesName is an array of the registries to clean in a cycle, each an [Item], for the
// item reader of the second map.
func RegistriesName(execution string, cycle int) string {
	return execution + "/items/registries-" + strconv.Itoa(cycle) + ".json"
}

func placeName(execution string, cycle int, p config.Place) string {
	return listsPrefix(execution, cycle) + "places/" + p.String() + ".json"
}

// ListName is the list of the images of a registry that one place uses.
func ListName(execution string, cycle int, registry, user config.Place) string {
	return ListsOf(execution, cycle, registry) + user.String() + ".json"
}

// ListsOf is the prefix of all lists of the images of a registry.
func ListsOf(execution string, cycle int, registry config.Place) string {
	return listsPrefix(execution, cycle) + "registries/" + registry.String() + "/"
}

func listsPrefix(execution string, cycle int) string {
	return execution + "/lists/" + strconv.Itoa(cycle) + "/"
}

func barrierName(execution string, cycle int) string {
	return execution + "/barrier/" + strconv.Itoa(cycle) + ".json"
}

func outcomeName(execution string, registry config.Place) string {
	return execution + "/outcomes/" + registry.String() + ".json"
}

// ReportName is the report of one run for a registry, as package report has it.
func ReportName(execution string, registry config.Place, round int) string {
	return execution + "/reports/" + registry.String() + "/" + strconv.Itoa(round) + ".json"
}

// runName is the object that the first request for a run of a registry creates.
func runName(execution string, registry config.Place, round int) string {
	return execution + "/runs/" + registry.String() + "/" + strconv.Itoa(round) + ".json"
}

func fleetReportName(execution string) string { return execution + "/report.json" }
