package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// isExtension completes a message about an extension in a policy of AWS's dialect.
const isExtension = "is an extension of ecrclean, which ECR refuses; " +
	"it belongs in a policy of the cleaner's configuration, and check --dialect extended accepts it"

var (
	awsKeys      = []string{"tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber"}
	extendedKeys = append(slices.Clip(awsKeys), "tagRegexList", "tagMatch", "tagExcludePatternList", "keepNewest")
	// refusedKeys are the messages about the other extendedKeys in AWS's dialect.
	refusedKeys = map[string]string{
		"tagRegexList": isExtension, "tagMatch": isExtension, "tagExcludePatternList": isExtension, "keepNewest": isExtension,
	}
	selectionKeys = [...][]string{AWS: awsKeys, Extended: extendedKeys}
	listKeys      = [...][]string{
		AWS:      {"tagPatternList", "tagPrefixList"},
		Extended: {"tagPatternList", "tagPrefixList", "tagRegexList"},
	}
)

func (d *draft) readSelection(v *jsondoc.Value, retains bool) {
	o, ok := v.ObjectRefusing(refusedKeys, selectionKeys[d.dialect]...)
	if !ok {
		return
	}
	d.tagStatus = o.Require("tagStatus")
	d.TagStatus, _ = jsondoc.OneOf(d.tagStatus, Tagged, Untagged, Any)
	d.readTagLists(o)
	if d.dialect == Extended {
		d.readTagMatch(o)
		d.readExcludes(o)
	}
	if retains && d.dialect == Extended {
		refuseCount(o)
	} else {
		d.readCount(o, retains)
	}
	d.readStorageClass(o)
	for key := range refusedKeys {
		if d.dialect == AWS && o.Get(key) != nil {
			d.StorageClass = "" // excludes the rule from comparisons: its images are not known
		}
	}
}

// readTagLists reads the list of a tagged rule. If the tag status cannot be read, it
// still records the faults inside the lists.
func (d *draft) readTagLists(o jsondoc.Object) {
	lists := listKeys[d.dialect]
	if d.TagStatus == Untagged || d.TagStatus == Any {
		d.listless = true
		for _, key := range lists {
			mustBeAbsent(o.Get(key), fmt.Sprintf("with tagStatus %q", d.TagStatus))
		}
		return
	}
	if d.TagStatus == Tagged {
		d.checkListCount(o, lists)
	}
	d.TagPatternList = readList(o.Get("tagPatternList"), parsePattern)
	d.TagPrefixList = readList(o.Get("tagPrefixList"), parsePrefix)
	if d.dialect == Extended {
		d.TagRegexList = readList(o.Get("tagRegexList"), parseRegex)
	}
}

// checkListCount checks that a tagged rule has at most one list, and sets tagList. It
// ignores a null, which is a fault already.
func (d *draft) checkListCount(o jsondoc.Object, keys []string) {
	var given, lists []string // lists is given without nulls
	for _, key := range keys {
		if v := o.Get(key); v != nil {
			given = append(given, key)
			if !v.IsNull() {
				lists = append(lists, key)
			}
		}
	}
	switch {
	case len(given) == 1:
		d.tagList = o.Get(given[0])
	case len(given) == 0 && mentionsList(o):
	case len(given) == 0 && d.dialect == AWS:
		d.tagStatus.Problem(`"tagged" without tagPatternList or tagPrefixList %s; `+
			`for ECR add a list, such as "tagPatternList": ["*"] for every tagged image`, isExtension)
	case len(given) == 0:
		d.listless, d.tagList = true, d.tagStatus
	case len(lists) > 1:
		for _, key := range lists[1:] {
			o.Get(key).Problem("must be left out, because the rule has %s; a rule has one list at most", lists[0])
		}
	}
}

// mentionsList reports whether a refused key of the object is probably meant as the list.
func mentionsList(o jsondoc.Object) bool {
	return slices.ContainsFunc(o.Names(), func(name string) bool {
		return slices.ContainsFunc(listKeys[Extended], func(key string) bool { return strings.EqualFold(name, key) })
	})
}

const matchAny = "any" // the value of tagMatch that is not the default

func (d *draft) readTagMatch(o jsondoc.Object) {
	v := o.Get("tagMatch")
	if d.listless {
		mustBeAbsent(v, "without a list of tags")
		return
	}
	match, _ := jsondoc.OneOf(v, "all", matchAny)
	d.TagMatchAny = match == matchAny
}

func (d *draft) readExcludes(o jsondoc.Object) {
	v := o.Get("tagExcludePatternList")
	if d.TagStatus == Untagged {
		mustBeAbsent(v, `with tagStatus "untagged"; an untagged image has no tag to exclude`)
		return
	}
	d.TagExcludePatternList = readList(v, parsePattern)
	d.excluding = v != nil
	if d.TagStatus == Any {
		d.tagList = v
	}
}

func (d *draft) readCount(o jsondoc.Object, optional bool) {
	require := o.Require
	if optional {
		require = o.Get
	}
	d.CountType, _ = jsondoc.OneOf(require("countType"), ImageCountMoreThan, SinceImagePushed, SinceImagePulled, SinceImageTransitioned)
	least := 1
	if d.CountType == SinceImageTransitioned {
		least = minArchiveDays
	}
	d.countNumber = require("countNumber")
	d.CountNumber = d.readInt(d.countNumber, least)
	d.readCountUnit(o)
	switch keepNewest := o.Get("keepNewest"); {
	case d.dialect == AWS:
	case d.CountType == ImageCountMoreThan:
		mustBeAbsent(keepNewest, `with countType "imageCountMoreThan", whose countNumber says how many to keep`)
	default:
		d.KeepNewest = d.readInt(keepNewest, 1)
	}
}

// refuseCount refuses the count fields of a rule that retains.
func refuseCount(o jsondoc.Object) {
	where := `with action type "retain", which keeps all that it matches; ` +
		`to keep the newest N only, put "keepNewest": N into the expire rule`
	for _, key := range []string{"countType", "countNumber", "countUnit", "keepNewest"} {
		if v := o.Get(key); v != nil {
			mustBeAbsent(v, where)
			where = `with action type "retain"`
		}
	}
}

// readInt reads an integer. In the AWS dialect 10.0 and 1e1 are faults: ECR refuses them.
func (d *draft) readInt(v *jsondoc.Value, least int) int {
	read := v.PlainInt
	if d.dialect == Extended {
		read = v.Int
	}
	n, _ := read(least, maxInt)
	return n
}

const days = "days" // the only countUnit

func (d *draft) readCountUnit(o jsondoc.Object) {
	switch d.CountType {
	case "":
		jsondoc.OneOf(o.Get("countUnit"), days)
	case ImageCountMoreThan:
		mustBeAbsent(o.Get("countUnit"), `with countType "imageCountMoreThan"`)
	case SinceImagePushed, SinceImagePulled, SinceImageTransitioned:
		jsondoc.OneOf(o.RequireBecause("countUnit", fmt.Sprintf("%q needs %q", d.CountType, days)), days)
	}
}

// readStorageClass leaves StorageClass empty, which excludes the rule from comparisons, if
// it contradicts the count type.
func (d *draft) readStorageClass(o jsondoc.Object) {
	v, class := o.Get("storageClass"), StandardClass
	if d.CountType == SinceImageTransitioned {
		v = o.RequireBecause("storageClass", `"sinceImageTransitioned" needs "archive"`)
		class = ""
	}
	if v != nil {
		class, _ = jsondoc.OneOf(v, StandardClass, ArchiveClass)
	}
	switch {
	case d.CountType == SinceImageTransitioned && class == StandardClass:
		v.Problem(`must be "archive" with countType "sinceImageTransitioned"`)
	case d.CountType != SinceImageTransitioned && d.CountType != "" && class == ArchiveClass:
		v.Problem(`must be "standard" or left out with countType %q; archived images are for "sinceImageTransitioned"`, d.CountType)
	default:
		d.StorageClass = class
	}
}
