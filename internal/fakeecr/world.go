package fakeecr

import (
	"maps"
	"slices"
)

// The methods in this file change the registry as pushes and other people do.
// None of them counts as a call.

// CreateRepository adds an empty repository, unless there is one of that name.
// It panics when ECR would not accept the name.
func (s *Server) CreateRepository(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkRepositoryName("repositoryName", name); err != nil {
		panic("fakeecr: CreateRepository: " + err.Error())
	}
	if s.repositories[name] == nil {
		s.repositories[name] = newRepository(name, s.instant())
		s.byName = nil
	}
}

// DeleteRepository removes a repository and its images. It does nothing when
// there is none of that name.
func (s *Server) DeleteRepository(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repositories, name)
	s.byName = nil
}

// TagRepository sets the resource tags of a repository, in place of all it
// had. It panics when there is no such repository.
func (s *Server) TagRepository(name string, tags map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(name).tags = maps.Clone(tags)
}

// SetLifecyclePolicy attaches a policy, which is not validated; "" detaches
// the one there is. It panics when there is no such repository.
func (s *Server) SetLifecyclePolicy(repo, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(repo).policy = text
}

// LifecyclePolicy returns the text of the policy that is attached, or "" when
// none is. It panics when there is no such repository.
func (s *Server) LifecyclePolicy(repo string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustRepository(repo).policy
}

// Put stores an image and returns its digest. What im leaves out is completed
// as [Image] documents; its tags are taken from the images that have them. An
// image with the same digest is replaced, its tags included. Put panics when
// there is no such repository or the digest is malformed.
func (s *Server) Put(repo string, im Image) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepository(repo)
	rec := s.newRecord(im)
	r.put(rec)
	return rec.Digest
}

// Remove removes images by digest, whatever lists them. Digests that are not
// stored are passed over. It panics when there is no such repository.
func (s *Server) Remove(repo string, digests ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepository(repo)
	for _, digest := range digests {
		if rec := r.images[digest]; rec != nil {
			r.remove(rec)
		}
	}
}

// Images returns copies of a repository's images, ordered by digest, each with
// its manifest. It returns nil when there is no such repository.
func (s *Server) Images(repo string) []Image {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositories[repo]
	if r == nil {
		return nil
	}
	images := make([]Image, 0, len(r.images))
	for rec := range r.from("") {
		images = append(images, rec.snapshot())
	}
	return images
}

// Tag gives an image a tag, taking it from the image that has it, as a push
// would. It panics when there is no such image.
func (s *Server) Tag(repo, digest, tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepository(repo)
	rec := r.images[digest]
	if rec == nil {
		panic("fakeecr: Tag: no image " + digest + " in " + repo)
	}
	r.tag(rec, tag)
}

// Untag takes a tag from the image that has it, if any. The image stays, even
// without tags. It panics when there is no such repository.
func (s *Server) Untag(repo, tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(repo).untag(tag)
}

// Pull records a pull of an image by somebody else, as ECR does: at most once in
// 24 hours. It panics when there is no such image.
func (s *Server) Pull(repo, digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.mustRepository(repo).images[digest]
	if rec == nil {
		panic("fakeecr: Pull: no image " + digest + " in " + repo)
	}
	s.recordPull(rec)
}

// ExcludePulls says whether the caller's role is registered as a pull-time
// exclusion: its BatchGetImage then leaves the last pull as it is.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-time-update-exclusions.html
func (s *Server) ExcludePulls(excluded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pullExcluded = excluded
}

// RefuseImage makes BatchDeleteImage answer the failure code for an image, in
// every repository; "" ends it.
func (s *Server) RefuseImage(digest, failureCode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failureCode == "" {
		delete(s.refused, digest)
		return
	}
	s.refused[digest] = failureCode
}

func (s *Server) mustRepository(name string) *repository {
	r := s.repositories[name]
	if r == nil {
		panic("fakeecr: no repository " + name)
	}
	return r
}

// sorted returns all repositories by name.
func (s *Server) sorted() []*repository {
	if s.byName == nil {
		for _, name := range slices.Sorted(maps.Keys(s.repositories)) {
			s.byName = append(s.byName, s.repositories[name])
		}
	}
	return s.byName
}
