//go:build integration

package integration_test

import (
	"testing"
)

// seed has a team with the same repositories for each program. Plain moto accepts any
// text as a policy, has no pages, and does not list deleted untagged images in its
// answer.
const seed = `{"region": "eu-west-1", "repositories": [` + seedOf1 + `, ` + seedOf2 + `]}`

const (
	seedOf1 = `{"name": "bootstrap/api", ` + seedAPI + `}, {"name": "bootstrap/broken", ` + seedBroken + `}, {"name": "bootstrap/bulk", ` + seedBulk + `}`
	seedOf2 = `{"name": "ecrclean/api", ` + seedAPI + `}, {"name": "ecrclean/broken", ` + seedBroken + `}, {"name": "ecrclean/bulk", ` + seedBulk + `}`

	seedAPI = `"lifecycle_policy": {"rules": [
	    {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}},
	    {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}},
	    {"rulePriority": 3, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}]},
	  "images": [
	    {"pushed_days_ago": 120}, {"pushed_days_ago": 100},
	    {"pushed_days_ago": 10},
	    {"tags": ["v1"], "pushed_days_ago": 90}, {"tags": ["v2", "latest"], "pushed_days_ago": 80}, {"tags": ["v3"], "pushed_days_ago": 70, "pulled_days_ago": 1},
	    {"tags": ["v4"], "pushed_days_ago": 60}, {"tags": ["v5"], "pushed_days_ago": 50},
	    {"tags": ["cold"], "pushed_days_ago": 400, "status": "ARCHIVED", "archived_days_ago": 30},
	    {"tags": ["frozen"], "pushed_days_ago": 400, "status": "ARCHIVED", "archived_days_ago": 200}]`
	seedBroken = `"lifecycle_policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 0}, "action": {"type": "delete"}}]},
	  "images": [{"tags": ["v1"], "pushed_days_ago": 50}, {"tags": ["v2"], "pushed_days_ago": 40}]`
	seedBulk = `"lifecycle_policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 300}, "action": {"type": "expire"}}]},
	  "generate": {"count": 1200, "tag": "v{i}", "oldest_days": 400}`
)

// TestPlainMoto runs plan, apply and apply again with the protection of the
// default configuration.
func TestPlainMoto(t *testing.T) {
	t.Parallel()
	server := startSeeded(t, seed)
	for name, run := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := server.registry("eu-west-1")
			what := request{mode: "plan", configuration: `{"protect": {"inUse": [], "pulledWithinDays": 7}}`, repositories: []string{name + "/*"}}
			planned := run(t, on, what, false)
			// two untagged images, v1, v4 and frozen go; v2 and v3 are protected
			if got, want := planned.Repositories[0].counts, (counts{Evaluated: 10, Expired: 5, Protected: 2}); got != want {
				t.Errorf("plan of api is %+v, want %+v", got, want)
			}
			if got := planned.Repositories[1].Skipped; got != "invalid policy" {
				t.Errorf("broken is skipped as %q", got)
			}
			// a quarter of the images is too old, and seven in ninety were pulled lately
			if got, want := planned.Repositories[2].counts, (counts{Evaluated: 1200, Expired: 272, Protected: 28}); got != want {
				t.Errorf("plan of bulk is %+v, want %+v", got, want)
			}

			what.mode = "apply"
			applied := run(t, on, what, false)
			wantTotals(t, "apply", applied.Totals, counts{Evaluated: 1210, Expired: 277, Protected: 30, Deleted: 277, Skipped: 1})
			on.wantLeft(t, name+"/api", "-", "cold", "latest,v2", "v3", "v5")
			on.wantLeft(t, name+"/broken", "v1", "v2")
			if n := len(on.left(t, name+"/bulk")); n != 1200-272 {
				t.Errorf("%d images are left in bulk, want %d", n, 1200-272)
			}

			again := run(t, on, what, false)
			if again.Totals.Expired != 0 || again.Totals.Deleted != 0 || again.Calls["BatchDeleteImage"] != 0 {
				t.Errorf("the second apply has totals %+v and calls %v", again.Totals, again.Calls)
			}
		})
	}
}
