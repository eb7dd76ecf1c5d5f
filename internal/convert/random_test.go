package convert_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A decoder makes choices from bytes. When they are used up, it always makes
// the first choice.
type decoder struct{ data []byte }

func (d *decoder) below(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

func pick[T any](d *decoder, choices ...T) T { return choices[d.below(len(choices))] }

type object = map[string]any

// policy returns the text of a small policy of the extended dialect, which need
// not be valid. Its lists meet each other often.
func (d *decoder) policy() []byte {
	var rules []any
	priority := 0
	for range 1 + d.below(5) {
		priority += pick(d, 1, 1, 2, 10)
		rules = append(rules, d.rule(priority))
	}
	text, err := json.Marshal(object{"rules": rules})
	if err != nil {
		panic(err)
	}
	return text
}

func (d *decoder) rule(priority int) object {
	selection := object{"tagStatus": pick(d, "tagged", "any", "tagged", "untagged")}
	kind := pick(d, "expire", "retain", "expire", "transition")
	d.tags(selection)
	if d.below(4) == 0 && selection["tagStatus"] != "untagged" {
		selection["tagExcludePatternList"] = d.entries("a", "b", "ab", "a*", "*b", "*")
	}
	if kind != "retain" {
		d.count(selection)
	}
	if selection["storageClass"] == "archive" {
		kind = "expire"
	}
	action := object{"type": kind}
	if kind == "transition" {
		action["targetStorageClass"] = "archive"
	}
	return object{"rulePriority": priority, "selection": selection, "action": action}
}

func (d *decoder) tags(selection object) {
	if selection["tagStatus"] != "tagged" {
		return
	}
	switch d.below(5) {
	case 0:
		return
	case 1:
		selection["tagPrefixList"] = d.entries("a", "b", "ab", "ba")
	case 2:
		selection["tagRegexList"] = d.entries("a|b", "a.*", "^ab?$", "(a|b).*b", "[ab]", "b", ".*", "a{2}", "(?s)b.*", "b+")
	default:
		selection["tagPatternList"] = d.entries("a*", "b*", "a", "b", "*b", "a*b", "ab", "*")
	}
	if d.below(2) == 0 {
		selection["tagMatch"] = "any"
	}
}

func (d *decoder) entries(choices ...string) []string {
	var entries []string
	for range 1 + d.below(3) {
		entries = append(entries, pick(d, choices...))
	}
	return entries
}

func (d *decoder) count(selection object) {
	switch d.below(6) {
	case 0, 1:
		selection["countType"], selection["countNumber"] = "imageCountMoreThan", pick(d, 1, 2, 3)
	case 2:
		selection["countType"], selection["countUnit"], selection["countNumber"] = "sinceImageTransitioned", "days", 90
		selection["storageClass"] = "archive"
	case 3:
		selection["countType"], selection["countUnit"], selection["countNumber"] = "sinceImagePulled", "days", pick(d, 1, 3)
	default:
		selection["countType"], selection["countUnit"], selection["countNumber"] = "sinceImagePushed", "days", pick(d, 1, 3, 5)
	}
}

var now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func (d *decoder) images() []evaluator.Image {
	images := make([]evaluator.Image, d.below(24))
	for i := range images {
		im := &images[i]
		im.Digest = fmt.Sprintf("sha256:%02d", i)
		im.Status = pick(d, evaluator.Active, evaluator.Active, evaluator.Active, evaluator.Archived)
		im.PushedAt = evaluator.At(d.time())
		if im.Status == evaluator.Archived {
			im.LastArchivedAt = evaluator.At(now.AddDate(0, 0, -pick(d, 80, 100)))
		}
		if d.below(3) == 0 {
			im.LastRecordedPullTime = evaluator.At(d.time())
		}
		for range d.below(4) {
			im.Tags = append(im.Tags, pick(d, "a", "b", "ab", "ba", "abb", "aa", "c"))
		}
	}
	return images
}

func (d *decoder) time() time.Time { return now.Add(-time.Duration(d.below(8*24)) * time.Hour) }
