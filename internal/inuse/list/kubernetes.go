package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes/workload"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	maxObject = 8 << 20 // bytes of a Kubernetes object; etcd stores at most 1.5 MiB, without kubectl's indentation
	maxNested = 5       // lists in lists
)

// objectMembers are the members that a Kubernetes object or list can begin with. No other
// list of references has them.
var objectMembers = []string{"apiVersion", "items", "kind", "metadata", "spec", "status"}

// beginsObject reports whether the content begins with a Kubernetes object or list.
func (r *reader) beginsObject() bool {
	start, _ := r.in.Peek(maxEntry) // a later read has the same error
	name := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("{")), " \t\r\n")
	return slices.ContainsFunc(objectMembers, func(member string) bool {
		return bytes.HasPrefix(name, []byte(`"`+member+`"`))
	})
}

// kubernetes reads the output of kubectl get -o json, which is one object or a list.
func (d *jsonReader) kubernetes() error {
	d.checkModified()
	err := d.object(0)
	if err == nil && d.objects == 0 {
		err = errors.New("the list has no objects; kubectl also writes such a list if it may list nothing, so check its exit status")
	}
	return err
}

// An object is a Kubernetes object or list.
type object struct {
	line             int
	kind, apiVersion string
	metadata         struct {
		Namespace, Name string
		Continue        string // of a page that is not the last one
	}
	isList bool
	text   bytes.Buffer // the JSON of an object; without the items of a list
}

func (o *object) String() string {
	return strings.ToLower(o.kind) + " " + strings.TrimPrefix(o.metadata.Namespace+"/"+o.metadata.Name, "/")
}

// object reads an object, or a list up to its end. It keeps one object in memory, and no
// list. The members can have any order, so the kind of an object can be its last member.
func (d *jsonReader) object(depth int) error {
	o := object{line: d.at()}
	if open, err := d.dec.Token(); err != nil || open != json.Delim('{') {
		return errors.Join(err, errors.New("an item is not an object"))
	}
	seen := map[string]bool{}
	err := d.members(func(name string) error {
		if seen[name] {
			return fmt.Errorf("%.80q is repeated in an object", name)
		}
		seen[name] = true
		if name == "items" {
			o.isList = true
			return d.items(depth)
		}
		return d.objectMember(&o, name)
	})
	switch {
	case err != nil:
		return err
	case o.isList || o.kind == "List":
		return o.checkList(seen)
	}
	d.objects++
	return d.addObject(&o)
}

// items reads the items of a list.
func (d *jsonReader) items(depth int) error {
	open, err := d.dec.Token()
	switch {
	case err != nil || open != json.Delim('['):
		return errors.Join(err, errors.New("items is not an array"))
	case depth == maxNested:
		return fmt.Errorf("a list is in more than %d others", maxNested)
	}
	return d.entries(func() error { return d.object(depth + 1) })
}

// objectMember reads a member of an object and adds it to the text.
func (d *jsonReader) objectMember(o *object, name string) error {
	var value json.RawMessage
	if err := d.decode(name, &value); err != nil {
		return err
	}
	var err error
	switch name {
	case "kind":
		err = json.Unmarshal(value, &o.kind)
	case "apiVersion":
		err = json.Unmarshal(value, &o.apiVersion)
	case "metadata":
		err = json.Unmarshal(value, &o.metadata)
	}
	separator := ","
	if o.text.Len() == 0 {
		separator = "{"
	}
	key, _ := json.Marshal(name) // cannot fail for a string
	fmt.Fprintf(&o.text, "%s%s:%s", separator, key, value)
	if err == nil && o.text.Len() > maxObject {
		err = fmt.Errorf("an object has more than %d MiB, and Kubernetes stores none of that size", maxObject>>20)
	}
	return err
}

// checkList checks that a list is whole and has only the members of a list.
func (o *object) checkList(members map[string]bool) error {
	for name := range members {
		if !slices.Contains([]string{"apiVersion", "items", "kind", "metadata"}, name) {
			return fmt.Errorf("%.80q is not a member of a Kubernetes list", name)
		}
	}
	switch {
	case !o.isList:
		return errors.New("the list has no items")
	case !strings.HasSuffix(o.kind, "List"):
		return fmt.Errorf("an object of the kind %.80q has items", o.kind)
	case o.metadata.Continue != "":
		return errors.New("the list is one page of a longer list; " + advice)
	}
	return nil
}

const advice = "write the list with kubectl get -o json"

// addObject adds the uses of an object.
func (d *jsonReader) addObject(o *object) error {
	if o.kind == "" || o.kind == "Status" || strings.HasPrefix(o.apiVersion, "meta.k8s.io/") { // an error or a table
		d.problems.add(o.line, "an item of the kind %.80q is not an object of a cluster; %s", o.kind, advice)
		return nil
	}
	o.text.WriteByte('}')
	for use, err := range inuse.Collect(func(c *inuse.Collector) error { return d.collect(c, o) }) {
		if err != nil {
			d.problems.add(o.line, "%s", err)
		} else if !d.yield(d.named(use), nil) {
			return errStopped
		}
	}
	return nil
}

// named returns the use with the host that Kubernetes adds to a name without a host, unless
// the name is an alias. https://kubernetes.io/docs/concepts/containers/images/#image-names
func (d *jsonReader) named(use inuse.Use) inuse.Use {
	if ref := d.Aliases.Resolve(use.Reference); ref.RegistryID == "" && ref.Host == "" && ref.Repository != "" {
		use.Reference.Host = "docker.io"
	}
	return use
}

// groups are the API groups, besides the one without a name, of the kinds that package
// workload knows. Other groups have kinds of the same names.
var groups = []string{"apps", "batch"}

// collect adds the uses of an object to the collector.
func (d *jsonReader) collect(c *inuse.Collector, o *object) error {
	group, _, hasGroup := strings.Cut(o.apiVersion, "/")
	if slices.Contains(workload.Kinds, o.kind) && (!hasGroup || slices.Contains(groups, group)) {
		_, images, err := workload.Images(o.kind, o.text.Bytes())
		for _, image := range images {
			err = errors.Join(err, addImage(c, image, o.String()))
		}
		if err != nil || !workload.Searched(o.kind) {
			return err
		}
	}
	references, err := workload.References(o.text.Bytes(), slices.Collect(maps.Keys(d.Aliases)))
	for _, r := range references {
		use := inuse.Use{By: o.String(), AllImages: r.AnyTag}
		if r.Problem != "" {
			use.Problem = r.Text + ": " + r.Problem
		} else if use.Reference, err = reference.ParseAny(r.Text); err != nil {
			return err
		}
		if r.AnyTag {
			use.Reference.Tag = "" // a scan keeps only a few uses of a tag
		}
		c.AddKnown(use)
	}
	return err
}

// addImage adds a use of an image. No runtime can pull an image whose name is not a
// reference, but a digest that it recorded is in use.
func addImage(c *inuse.Collector, image workload.Image, by string) error {
	if image.Problem != "" {
		c.AddKnown(inuse.Use{By: by, Problem: image.Problem})
	}
	if image.Name == "" && image.Digest == "" {
		return nil
	}
	err := c.Add(image.Name, image.Digest, inuse.Use{By: by, Runs: image.Runs})
	if !errors.Is(err, reference.ErrNoReference) {
		return err
	}
	c.AddKnown(inuse.Use{By: by, Problem: fmt.Sprintf("its image is %.200q, which is not a reference", image.Name)})
	if image.Digest == "" {
		return nil
	}
	return c.Add("", image.Digest, inuse.Use{By: by})
}
