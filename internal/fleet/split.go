package fleet

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// Split sorts the uses of a place by registry. Elsewhere are those that name no ECR registry
// and may mean any; images of public registries are in none. Findings are those of the
// sources, and the images that cannot be identified.
func Split(uses []inuse.Use) (lists map[config.Place][]inuse.Use, elsewhere []Use, findings []string) {
	lists = map[config.Place][]inuse.Use{}
	known := map[Use]bool{}
	for _, use := range uses {
		switch ref := use.Reference; {
		case use.Finding.Kind != "":
			findings = append(findings, use.Finding.Message)
		case use.Problem != "":
			findings = append(findings, use.By+": "+use.Problem)
		case ref.RegistryID != "":
			registry := config.Place{Account: ref.RegistryID, Region: ref.Region}
			lists[registry] = append(lists[registry], use)
		case ref.Repository == "" || !ref.Public():
			u := Use{Image: ref.String(), AllImages: use.AllImages}
			if known[u] {
				continue // with another user
			}
			known[u] = true
			u.By = use.By
			elsewhere = append(elsewhere, u)
		}
	}
	return lists, elsewhere, findings
}
