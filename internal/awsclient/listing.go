package awsclient

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// An Object is an S3 object in a listing.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
}

const maxObjects = 100_000 // of a listing; their keys are in memory

// ListObjects returns the objects whose keys begin with the prefix in a location such as
// s3://bucket/prefix/, in the order of their keys. It fails if S3 does not list all of them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func ListObjects(ctx context.Context, cfg aws.Config, location string, clock func() time.Time) (all []Object, err error) {
	bucket, prefix, err := splitLocation(location)
	query, tokens := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {prefix}}, map[string]bool{}
	for err == nil {
		var page listing
		if page, err = listPage(ctx, cfg, bucket, query, clock()); err != nil {
			break
		}
		all = append(all, page.objects...)
		token := page.NextContinuationToken
		switch {
		case token == "":
			return all, nil
		case tokens[token]:
			err = errors.New("the listing is cut short: a token is repeated; run again")
		case len(all) > maxObjects:
			err = fmt.Errorf("there are more than %d objects; delete those that are no longer needed", maxObjects)
		}
		tokens[token] = true
		query.Set("continuation-token", token)
	}
	return nil, fmt.Errorf("list %s: %w", location, err)
}

// A listing is an answer. S3 leaves out Contents, and no other element here, if it lists
// no object.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	KeyCount              *int
	IsTruncated           *bool
	NextContinuationToken string
	EncodingType          string // "url" if keys are escaped, because XML cannot hold every key
	Contents              []struct {
		Key          string
		Size         *int64
		LastModified *time.Time
	}
	objects []Object
}

func listPage(ctx context.Context, cfg aws.Config, bucket string, query url.Values, now time.Time) (page listing, err error) {
	c := call{cfg: cfg, operation: "ListObjectsV2", now: now, method: http.MethodGet, most: maxBody}
	c.read = func(_ *http.Response, body []byte) error {
		page = listing{} // an attempt before may have set a part
		if err := xml.Unmarshal(body, &page); err != nil {
			return err
		}
		return page.check(query.Get("prefix"))
	}
	err = c.doS3(ctx, bucket, "", "?"+query.Encode(), listingError)
	return page, err
}

// check sets the objects. It fails if the answer may lack some.
func (l *listing) check(prefix string) error {
	switch {
	case l.KeyCount == nil || l.IsTruncated == nil:
		return errors.New("it has no KeyCount or no IsTruncated; check the endpoint")
	case *l.KeyCount != len(l.Contents):
		return fmt.Errorf("it has %d objects and a KeyCount of %d; run again", len(l.Contents), *l.KeyCount)
	case *l.IsTruncated != (l.NextContinuationToken != ""):
		return fmt.Errorf("IsTruncated is %t, and NextContinuationToken is %.80q; check the endpoint", *l.IsTruncated, l.NextContinuationToken)
	}
	for _, object := range l.Contents {
		key := object.Key
		if l.EncodingType == "url" {
			var err error
			if key, err = url.QueryUnescape(key); err != nil {
				return err
			}
		}
		if !strings.HasPrefix(key, prefix) || object.Size == nil || object.LastModified == nil {
			return fmt.Errorf("the object %.200q has no Size or no LastModified, or is not below the prefix; check the endpoint", key)
		}
		l.objects = append(l.objects, Object{key, *object.Size, *object.LastModified})
	}
	return nil
}

func listingError(_ string, status int, _ []byte) error {
	switch status {
	case http.StatusForbidden:
		return errors.New("access denied; allow the action s3:ListBucket on the bucket")
	case http.StatusNotFound:
		return errors.New("there is no such bucket; check the name")
	case http.StatusMovedPermanently:
		return errors.New("the bucket is in another Region; use one in this Region")
	}
	return fmt.Errorf("S3 answered %d %s; check the location and the endpoint", status, http.StatusText(status))
}
