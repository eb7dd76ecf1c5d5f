package lifecycle

// A Dialect is a grammar of policies.
type Dialect int

// The dialects.
const (
	// AWS is ECR's own grammar, and that of every policy attached to a
	// repository.
	AWS Dialect = iota
	// Extended is AWS and more: the grammar of policies that the cleaner
	// applies, not ECR. What AWS accepts means the same in both.
	Extended
)
