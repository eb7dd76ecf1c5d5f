package plan

import "github.com/ecr-cleaner/ecr-cleaner/internal/graph"

// OwnBytes returns the size of the image, or 0 for an index, whose listed size is that
// of its largest child.
func (p *Image) OwnBytes() int64 {
	if graph.IsIndex(p.Image) {
		return 0
	}
	return p.SizeInBytes
}
