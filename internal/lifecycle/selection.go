package lifecycle

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// readSelection reads the selection. With optionalCount the count fields may be
// absent.
func (d *draft) readSelection(v *jsondoc.Value, optionalCount bool) {
	o, ok := v.ObjectRefusing(extensionKeys, "tagStatus", "tagPatternList", "tagPrefixList",
		"storageClass", "countType", "countUnit", "countNumber")
	if !ok {
		return
	}
	d.tagStatus = o.Require("tagStatus")
	d.TagStatus = oneOf(d.tagStatus, Tagged, Untagged, Any)
	d.readTagLists(o)
	require := o.Require
	if optionalCount {
		require = o.Get
	}
	d.CountType = oneOf(require("countType"), ImageCountMoreThan, SinceImagePushed, SinceImagePulled, SinceImageTransitioned)
	d.CountNumber, _ = require("countNumber").Int(d.leastCount(), maxInt)
	d.readCountUnit(o)
	d.readStorageClass(o)
	if hasExtension(v) {
		d.StorageClass = "" // takes the rule out of the comparison
	}
}

func (d *draft) leastCount() int {
	if d.CountType == SinceImageTransitioned {
		return minArchiveDays
	}
	return 1
}

// days is the only unit there is; a policy does not keep it.
const days = "days"

func (d *draft) readCountUnit(o jsondoc.Object) {
	switch d.CountType {
	case "":
		oneOf(o.Get("countUnit"), days)
	case ImageCountMoreThan:
		mustBeAbsent(o.Get("countUnit"), `with countType "imageCountMoreThan"`)
	case SinceImagePushed, SinceImagePulled, SinceImageTransitioned:
		oneOf(o.RequireBecause("countUnit", fmt.Sprintf("%q needs %q", d.CountType, days)), days)
	}
}

// readStorageClass leaves StorageClass empty where it contradicts the count
// type, so that the rule is not held against others by a class it cannot have.
func (d *draft) readStorageClass(o jsondoc.Object) {
	v, class := o.Get("storageClass"), StandardClass
	if d.CountType == SinceImageTransitioned {
		v = o.RequireBecause("storageClass", `"sinceImageTransitioned" needs "archive"`)
		class = ""
	}
	if v != nil {
		class = oneOf(v, StandardClass, ArchiveClass)
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
