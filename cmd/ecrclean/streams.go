package main

import (
	"context"
	"io"
)

// An output keeps the first error of writing: not every line that is printed is
// checked for one.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(text []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.w.Write(text)
	}
	return n, o.err
}

// An interruptible reader does not wait for more when the context is done.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(text []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	type part struct {
		text []byte
		err  error
	}
	parts := make(chan part, 1)
	go func() {
		const most = 1 << 16
		own := make([]byte, min(len(text), most)) // the caller's may be in use again by then
		n, err := i.r.Read(own)
		parts <- part{own[:n], err}
	}()
	select {
	case p := <-parts:
		return copy(text, p.text), p.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}
