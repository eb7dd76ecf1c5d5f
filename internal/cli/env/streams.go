package env

import (
	"context"
	"io"
)

// An Output keeps the first error of writing and writes nothing after it. The caller can
// check for the error once, at the end.
type Output struct {
	W   io.Writer
	Err error
}

func (o *Output) Write(content []byte) (n int, err error) {
	if o.Err == nil {
		n, o.Err = o.W.Write(content)
	}
	return n, o.Err
}

// Interruptible returns a reader that does not wait for r when the context is done.
func Interruptible(ctx context.Context, r io.Reader) io.Reader { return interruptible{ctx, r} }

type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(content []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	type part struct {
		content []byte
		err     error
	}
	parts := make(chan part, 1)
	go func() {
		const most = 1 << 16
		own := make([]byte, min(len(content), most)) // the caller may use its own again by then
		n, err := i.r.Read(own)
		parts <- part{own[:n], err}
	}()
	select {
	case p := <-parts:
		return copy(content, p.content), p.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}
