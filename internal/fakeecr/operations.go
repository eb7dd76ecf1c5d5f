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
	"BatchDeleteImage":             bind((*Server).batchDeleteImage),
	"BatchGetImage":                bind((*Server).batchGetImage),
	"DeleteLifecyclePolicy":        bind((*Server).deleteLifecyclePolicy),
	"DescribeImages":               bind((*Server).describeImages),
	"DescribeRepositories":         bind((*Server).describeRepositories),
	"GetLifecyclePolicy":           bind((*Server).getLifecyclePolicy),
	"GetRepositoryPolicy":          bind((*Server).getRepositoryPolicy),
	"ListImageReferrers":           bind((*Server).listImageReferrers),
	"ListImages":                   bind((*Server).listImages),
	"ListPullTimeUpdateExclusions": bind((*Server).listPullTimeUpdateExclusions),
	"ListTagsForResource":          bind((*Server).listTagsForResource),
	"PutLifecyclePolicy":           bind((*Server).putLifecyclePolicy),
	"UpdateImageStorageClass":      bind((*Server).updateImageStorageClass),
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
