package fakeecr

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// errNotCarriedOut ends a call that a fault does not carry out. No caller gets it.
var errNotCarriedOut = errors.New("the call is not carried out")

// injectBefore applies the fault before the call. After an error the call is not carried
// out.
func (s *Server) injectBefore(injected *injection, repo string) error {
	switch injected.kind() { //nolint:exhaustive // the other kinds are applied elsewhere
	case Throttled:
		return s.refusal("ThrottlingException", injected.Operation, repo)
	case ServerError:
		return s.refusal("ServerException", injected.Operation, repo)
	case BadGateway, Reset:
		return errNotCarriedOut
	case ExpiredToken:
		return invalid("nextToken", "Member must be a token that has not expired")
	case VanishedImage:
		s.vanish(injected, repo)
	case LateWork:
		time.Sleep(injected.delay)
	}
	return nil
}

// respond writes the answer with the fault applied.
func (injected *injection) respond(ctx context.Context, w http.ResponseWriter, answer []byte, err error) {
	switch injected.kind() { //nolint:exhaustive // the other kinds are applied elsewhere
	case Reset, LostAnswer:
		reset(w)
	case BadGateway:
		writeAs(w, htmlContentType, http.StatusBadGateway, []byte(htmlPage))
	case SlowAnswer:
		if pause(ctx, injected.delay) == nil {
			respond(w, answer, err)
		}
	default:
		if err == nil {
			injected.corrupt(w, answer)
			return
		}
		respond(w, nil, err)
	}
}

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

// corrupt writes an answer that is not an error, with the fault applied.
func (injected *injection) corrupt(w http.ResponseWriter, answer []byte) {
	switch injected.kind() { //nolint:exhaustive // the other kinds are applied elsewhere
	case CutAnswer:
		writeHeader(w, contentType, http.StatusOK, len(answer))
		_, _ = w.Write(answer[:injected.within(answer)]) // the caller may have gone
		_ = http.NewResponseController(w).Flush()        // unbuffered writers have sent it
		reset(w)
	case TruncatedJSON:
		write(w, http.StatusOK, answer[:injected.within(answer)])
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

// within returns a length from 1 to less than the whole answer, which has at least two
// bytes.
func (injected *injection) within(answer []byte) int { return 1 + injected.random.IntN(len(answer)-1) }

// reset resets the connection. Without access to the connection, it makes the HTTP server
// close it. The caller may still receive earlier writes.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // reset instead of an orderly end
	}
	_ = conn.Close()
}

// pause waits. If the caller leaves, it returns the error of the context.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
