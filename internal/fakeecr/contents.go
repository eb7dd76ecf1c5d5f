package fakeecr

import (
	"maps"
	"slices"
)

// The methods in this file change the registry like a push, or like another user.
// [Server.Calls] does not count them.

// CreateRepository adds an empty repository, unless it exists. It panics if ECR would not
// accept the name.
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

// DeleteRepository removes a repository with its images, if it exists.
func (s *Server) DeleteRepository(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repositories, name)
	s.byName = nil
}

// TagRepository replaces the resource tags of a repository. It panics if the repository
// does not exist.
func (s *Server) TagRepository(name string, tags map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(name).tags = maps.Clone(tags)
}

// SetLifecyclePolicy attaches a policy without validation; "" detaches it. It panics if
// the repository does not exist.
func (s *Server) SetLifecyclePolicy(repo, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepository(repo)
	r.policy, r.evaluatedAt = text, s.now()
}

// LifecyclePolicy returns the text of the attached policy, or "". It panics if the
// repository does not exist.
func (s *Server) LifecyclePolicy(repo string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustRepository(repo).policy
}

// Put stores an image and returns its digest. It sets empty fields as [Image] documents,
// and moves the tags of im from other images. It replaces an image with the same digest,
// including the tags. It panics if the repository does not exist or the digest is
// malformed.
func (s *Server) Put(repo string, im Image) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepository(repo)
	rec := s.newRecord(im)
	r.put(rec)
	return rec.Digest
}

// Remove removes images by digest, also children of indexes. It skips unknown digests. It
// panics if the repository does not exist.
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

// Images returns copies of the images of a repository, ordered by digest, with their
// manifests. It returns nil if the repository does not exist.
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

// Tag moves a tag to an image, like a push. It panics if the image does not exist.
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

// Untag removes a tag, and keeps its image even without tags. It panics if the repository
// does not exist.
func (s *Server) Untag(repo, tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(repo).untag(tag)
}

// Pull records a pull of an image by another user, at most once in 24 hours as in ECR. It
// panics if the image does not exist.
func (s *Server) Pull(repo, digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.mustRepository(repo).images[digest]
	if rec == nil {
		panic("fakeecr: Pull: no image " + digest + " in " + repo)
	}
	s.recordPull(rec)
}

// ExcludePulls sets whether the caller's role is a pull-time exclusion. If it is,
// BatchGetImage records no pull.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-time-update-exclusions.html
func (s *Server) ExcludePulls(excluded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pullExcluded = excluded
}

// RefuseImage sets the failure code of BatchDeleteImage for an image in every repository;
// "" removes it.
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

// sorted returns all repositories, ordered by name.
func (s *Server) sorted() []*repository {
	if s.byName == nil {
		for _, name := range slices.Sorted(maps.Keys(s.repositories)) {
			s.byName = append(s.byName, s.repositories[name])
		}
	}
	return s.byName
}
