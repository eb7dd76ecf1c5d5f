package fakeecr

import "cmp"

type updateImageStorageClassRequest struct {
	repositoryRef
	ImageID            *imageID `json:"imageId"`
	TargetStorageClass string   `json:"targetStorageClass"`
}

type updateImageStorageClassResponse struct {
	RegistryID     string  `json:"registryId"`
	RepositoryName string  `json:"repositoryName"`
	ImageID        imageID `json:"imageId"`
	ImageStatus    string  `json:"imageStatus"`
}

const archiveClass = "ARCHIVE"

func (in *updateImageStorageClassRequest) check() error {
	return cmp.Or(in.repositoryRef.check(),
		checkPresent("imageId", in.ImageID != nil),
		checkPresent("targetStorageClass", in.TargetStorageClass != ""),
		checkEnum("targetStorageClass", in.TargetStorageClass, "STANDARD", archiveClass))
}

func (s *Server) updateImageStorageClass(r *repository, in *updateImageStorageClassRequest) (any, error) {
	rec, err := s.lookUp(r, *in.ImageID)
	if err != nil {
		return nil, err
	}
	if in.TargetStorageClass == archiveClass {
		err = s.archive(r, rec)
	} else {
		err = s.restore(rec)
	}
	if err != nil {
		return nil, err
	}
	id := imageID{rec.Digest, in.ImageID.ImageTag}
	return updateImageStorageClassResponse{s.account, r.name, id, rec.Status}, nil
}

// archive archives an image, unless an index that is not archived lists it.
func (s *Server) archive(r *repository, rec *record) error {
	if rec.Status != statusActive {
		return storageClassUpdateNotSupported("The image with digest '" + rec.Digest + "' is not ACTIVE but " + rec.Status)
	}
	if indexes := r.guards(rec.Digest); len(indexes) > 0 {
		return storageClassUpdateNotSupported(guardReason(indexes))
	}
	rec.Status, rec.LastArchivedAt = statusArchived, s.instant()
	return nil
}

// restore makes an archived image ACTIVE. In ECR it is ACTIVATING for some minutes.
func (s *Server) restore(rec *record) error {
	if rec.Status != statusArchived {
		return storageClassUpdateNotSupported("The image with digest '" + rec.Digest + "' is not ARCHIVED but " + rec.Status)
	}
	rec.Status, rec.LastActivatedAt = statusActive, s.instant()
	return nil
}
