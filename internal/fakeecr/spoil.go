package fakeecr

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// errNotCarriedOut says that a fault leaves a call undone. Nobody gets to see
// it.
var errNotCarriedOut = errors.New("the call is not carried out")

// strikeDown does what the fault does before the call is carried out. With an
// error it is not.
func (s *Server) strikeDown(hit *strike, repo string) error {
	switch hit.kind() { //nolint:exhaustive // the other kinds strike elsewhere
	case Throttled:
		return s.refusal("ThrottlingException", hit.Operation, repo)
	case ServerError:
		return s.refusal("ServerException", hit.Operation, repo)
	case BadGateway, Reset:
		return errNotCarriedOut
	case ExpiredToken:
		return invalid("nextToken", "Member must be a token that has not expired")
	case VanishedImage:
		s.vanish(hit, repo)
	case LateWork:
		time.Sleep(hit.delay)
	}
	return nil
}

// respond writes the answer to a call, or what the fault leaves of it.
func (hit *strike) respond(ctx context.Context, w http.ResponseWriter, answer []byte, err error) {
	switch hit.kind() { //nolint:exhaustive // the other kinds strike elsewhere
	case Reset, LostAnswer:
		reset(w)
	case BadGateway:
		writeAs(w, htmlContentType, http.StatusBadGateway, []byte(htmlPage))
	case SlowAnswer:
		if pause(ctx, hit.delay) == nil {
			respond(w, answer, err)
		}
	default:
		if err == nil {
			hit.spoil(w, answer)
			return
		}
		respond(w, nil, err)
	}
}

// respond writes an answer as it is.
func respond(w http.ResponseWriter, answer []byte, err error) {
	if err != nil {
		writeFault(w, err)
		return
	}
	write(w, http.StatusOK, answer)
}

const (
	htmlContentType = "text/html"
	htmlPage        = "<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"
)

// spoil writes what the fault leaves of an answer that is no error.
func (hit *strike) spoil(w http.ResponseWriter, answer []byte) {
	switch hit.kind() { //nolint:exhaustive // the other kinds strike elsewhere
	case CutAnswer:
		writeHeader(w, contentType, http.StatusOK, len(answer))
		_, _ = w.Write(answer[:hit.within(answer)]) // the caller may have gone
		_ = http.NewResponseController(w).Flush()   // what cannot be flushed has arrived
		reset(w)
	case TruncatedJSON:
		write(w, http.StatusOK, answer[:hit.within(answer)])
	case EmptyAnswer:
		write(w, http.StatusOK, nil)
	case HTMLAnswer:
		writeAs(w, htmlContentType, http.StatusOK, []byte(htmlPage))
	case WrongContentType:
		writeAs(w, htmlContentType, http.StatusOK, answer)
	default:
		write(w, http.StatusOK, answer)
	}
}

// within returns a length between none and all of the answer, which is "{}" at
// least.
func (hit *strike) within(answer []byte) int { return 1 + hit.random.IntN(len(answer)-1) }

// reset resets the connection or, where there is none to be had, has the
// HTTP server end it. What was written before may still arrive.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is an orderly one
	}
	_ = conn.Close()
}

// pause waits, or returns the error of a caller that has gone.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
