package query

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// An Environment has the access and the settings with which an in-use source queries a service.
type Environment struct {
	AWS      aws.Config     // of the account and Region to query
	Place    string         // their name if they are not the registry's; otherwise empty
	Settings config.Protect // of all parts of the configuration
	Aliases  reference.Aliases
	Clock    func() time.Time
	// LastActivity returns, for each reference to an image in the registry, when the image
	// was last pushed or pulled. A reference to an image that does not exist, or to another
	// registry, has no entry. Nil means that the source cannot know these times.
	LastActivity func(ctx context.Context, images []reference.Reference) (map[reference.Reference]time.Time, error)
}
