package lifecycle

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// readSelection reads the selection of a rule. Retains is true for a rule that keeps
// all images that it matches, and false for a rule that counts them.
func (d *draft) readSelection(v *jsondoc.Value, retains bool) {
	o, ok := d.selectionObject(v)
	if !ok {
		return
	}
	d.tagStatus = o.Require("tagStatus")
	d.TagStatus = oneOf(d.tagStatus, Tagged, Untagged, Any)
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
	if d.hasRefused(v) {
		d.StorageClass = "" // takes the rule out of the comparison
	}
}

// readCount reads the count fields. With optional they may be absent.
func (d *draft) readCount(o jsondoc.Object, optional bool) {
	require := o.Require
	if optional {
		require = o.Get
	}
	d.CountType = oneOf(require("countType"), ImageCountMoreThan, SinceImagePushed, SinceImagePulled, SinceImageTransitioned)
	d.countNumber = require("countNumber")
	d.CountNumber = d.readInt(d.countNumber, d.leastCount())
	d.readCountUnit(o)
	if d.dialect == Extended {
		d.readKeepNewest(o.Get("keepNewest"))
	}
}

// refuseCount records a problem for each count field of a rule that retains.
// The first says what to do instead.
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

func (d *draft) readKeepNewest(v *jsondoc.Value) {
	if d.CountType == ImageCountMoreThan {
		mustBeAbsent(v, `with countType "imageCountMoreThan", whose countNumber says how many to keep`)
		return
	}
	d.KeepNewest = d.readInt(v, 1)
}

// readInt reads an integer. In the AWS dialect 10.0 and 1e1 are problems, because ECR
// refuses them.
func (d *draft) readInt(v *jsondoc.Value, least int) int {
	read := v.PlainInt
	if d.dialect == Extended {
		read = v.Int
	}
	n, _ := read(least, maxInt)
	return n
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
