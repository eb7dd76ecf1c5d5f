package fakeecr

// A call is a decoded request.
type call struct {
	repo     string // "" if the request names no or several repositories
	carryOut func(*Server) (answer any, err error)
}

// An operation reads the body of a request.
type operation func(body []byte) (call, error)

// operations are the operations of the server by name.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
var operations = map[string]operation{
	"BatchDeleteImage":             onRepository("BatchDeleteImage", (*Server).batchDeleteImage),
	"BatchGetImage":                onRepository("BatchGetImage", (*Server).batchGetImage),
	"DeleteLifecyclePolicy":        onRepository("DeleteLifecyclePolicy", (*Server).deleteLifecyclePolicy),
	"DescribeImages":               onRepository("DescribeImages", (*Server).describeImages),
	"DescribeRepositories":         bind((*Server).describeRepositories),
	"DescribeRegistry":             bind((*Server).describeRegistry),
	"GetLifecyclePolicy":           onRepository("GetLifecyclePolicy", (*Server).getLifecyclePolicy),
	"GetRegistryPolicy":            bind((*Server).getRegistryPolicy),
	"GetRepositoryPolicy":          onRepository("GetRepositoryPolicy", (*Server).getRepositoryPolicy),
	"ListImageReferrers":           onRepository("ListImageReferrers", (*Server).listImageReferrers),
	"ListImages":                   onRepository("ListImages", (*Server).listImages),
	"ListPullTimeUpdateExclusions": bind((*Server).listPullTimeUpdateExclusions),
	"ListReplicationBackfills":     bind((*Server).listReplicationBackfills),
	"ListTagsForResource":          bind((*Server).listTagsForResource),
	"PutLifecyclePolicy":           onRepository("PutLifecyclePolicy", (*Server).putLifecyclePolicy),
	"UpdateImageStorageClass":      onRepository("UpdateImageStorageClass", (*Server).updateImageStorageClass),
}

// bind makes an operation of a method. The server calls the method with its lock held.
// The answer must not share memory with the server.
func bind[In any, P interface {
	*In
	target() string
}](method func(*Server, P) (any, error)) operation {
	return func(body []byte) (call, error) {
		in := P(new(In))
		if err := decode(body, in); err != nil {
			return call{}, err
		}
		return call{in.target(), func(s *Server) (any, error) { return method(s, in) }}, nil
	}
}

// onRepository is bind for an operation of one repository. It checks the request and finds
// the repository.
func onRepository[In any, P interface {
	*In
	target() string
	check() error
	ref() repositoryRef
}](name string, method func(*Server, *repository, P) (any, error)) operation {
	return bind(func(s *Server, in P) (any, error) {
		if err := in.check(); err != nil {
			return nil, err
		}
		r, err := s.find(name, in.ref())
		if err != nil {
			return nil, err
		}
		return method(s, r, in)
	})
}
