package fakeecr

// A call is a request that is understood.
type call struct {
	repo     string // the repository it is about; "" when it names none or many
	carryOut func(*Server) (answer any, err error)
}

// An operation reads the body of a request.
type operation func(body []byte) (call, error)

// operations holds what the server offers, by name.
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

// bind makes an operation of a method, which is called with the server's lock
// held. What it answers must share nothing with the server.
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
