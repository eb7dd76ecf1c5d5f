package fakeecr

import "cmp"

// anyValue is the filter value that admits everything.
const anyValue = "ANY"

// An imageFilter is ECR's DescribeImagesFilter and ListImagesFilter.
type imageFilter struct {
	TagStatus   string `json:"tagStatus"`
	ImageStatus string `json:"imageStatus"`
}

func (f imageFilter) check() error {
	return cmp.Or(
		checkEnum("filter.tagStatus", f.TagStatus, "TAGGED", "UNTAGGED", anyValue),
		checkStatus("filter.imageStatus", f.ImageStatus))
}

func checkStatus(parameter, value string) error {
	return checkEnum(parameter, value, statusActive, statusArchived, "ACTIVATING", anyValue)
}

// orActive returns the filter of a listing, which has ACTIVE images only if the request
// names no status.
func (f imageFilter) orActive() imageFilter {
	return imageFilter{f.TagStatus, cmp.Or(f.ImageStatus, statusActive)}
}

// admits reports whether the image passes. An empty value admits all images.
func (f imageFilter) admits(rec *record) bool {
	return f.admitsTags(len(rec.Tags)) && admitsStatus(f.ImageStatus, rec.Status)
}

func (f imageFilter) admitsTags(n int) bool {
	switch f.TagStatus {
	case "TAGGED":
		return n > 0
	case "UNTAGGED":
		return n == 0
	}
	return true
}

func admitsStatus(filter, status string) bool {
	return filter == "" || filter == anyValue || filter == status
}
