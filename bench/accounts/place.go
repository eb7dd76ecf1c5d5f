package accounts

import (
	"fmt"
	"strconv"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

// A place is an account in one Region. It has so many items of each kind.
type place struct {
	account, region                    string
	tasks, services, families, lambdas int
}

// revisions is the number of active revisions of each task definition family.
const revisions = 5

// newPlace returns the place. One account in fifty has more than one page of everything in
// the Region of the registry.
func newPlace(account, region string) place {
	if n, _ := strconv.Atoi(account); n%50 == 3 && region == Region { // an account is a number
		return place{account, region, 250, 30, 110, 60}
	}
	return place{account, region, 20, 5, 10, 20}
}

func (p place) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + p.region + ":" + p.account + ":" + resource
}

func (p place) ecs(kind string, n int) string {
	return p.arn("ecs", fmt.Sprintf("%s/%s-%d", kind, kind, n))
}

func (p place) cluster() string { return p.arn("ecs", "cluster/prod") }

func (p place) definition(family, revision int) string {
	return p.arn("ecs", fmt.Sprintf("task-definition/family-%d:%d", family, revision))
}

// An image is the image of a container.
type image struct{ repository, digest, tag string }

// image returns the image of the registry that the item uses.
func (s Scale) image(p place, item string) image {
	n := hash(p.account, p.region, item)
	repository := n / 3 % s.All()
	if n%3 > 0 { // most images are of the first repository
		repository = 0
	}
	if s.isDenied(p.account) {
		shared := s.shared()
		repository = shared[n/3%len(shared)]
	}
	name, images := bench.Repository(repository), s.ImagesIn(repository)
	digest, tag := bench.Image(name, hash(item, p.account, p.region)%images, images)
	return image{name, digest, tag}
}

const registryHost = RegistryAccount + ".dkr.ecr." + Region + ".amazonaws.com/"

// name returns the image as people name it: by its tag if it has one.
func (i image) name() string {
	if i.tag == "" {
		return i.byDigest()
	}
	return registryHost + i.repository + ":" + i.tag
}

func (i image) byDigest() string { return registryHost + i.repository + "@" + i.digest }

// items returns the items that use an image of the registry, of the services that answer.
func (s Scale) items(p place) []string {
	var items []string
	add := func(kind string, n int) {
		for i := range n {
			items = append(items, kind+fmt.Sprint(i))
		}
	}
	add("task", p.tasks)
	add("service", p.services)
	add("family", p.families*revisions)
	if !s.deniesLambda(p.account) {
		add("function", p.lambdas)
	}
	return items
}

// inUse returns the digests of the images that are in use in all accounts whose role can be
// assumed, by repository.
func (s Scale) inUse() map[string]map[string]bool {
	inUse := map[string]map[string]bool{}
	for _, p := range s.places() {
		if s.deniesRole(p.account) {
			continue
		}
		for _, item := range s.items(p) {
			i := s.image(p, item)
			if inUse[i.repository] == nil {
				inUse[i.repository] = map[string]bool{}
			}
			inUse[i.repository][i.digest] = true
		}
	}
	return inUse
}

// places returns all places, that of the registry first.
func (s Scale) places() []place {
	all := []place{newPlace(RegistryAccount, Region)}
	for i := range s.Accounts {
		for _, region := range regions[:s.Regions] {
			all = append(all, newPlace(account(i), region))
		}
	}
	return all
}
