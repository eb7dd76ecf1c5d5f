package query_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

type page struct {
	items []string
	next  string
}

// list returns the items of a listing with these pages, by token. The first has none.
func list(pages map[string]page) ([]string, error) {
	fetch := func(token *string) (page, error) {
		if token == nil {
			return pages[""], nil
		}
		if _, known := pages[*token]; !known {
			return page{}, errors.New("no such token")
		}
		return pages[*token], nil
	}
	return query.List(fetch, func(p page) ([]string, *string) { return p.items, &p.next })
}

func TestAListingIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	got, err := list(map[string]page{"": {[]string{"a"}, "2"}, "2": {[]string{}, "3"}, "3": {[]string{"b", "c"}, ""}})
	awstest.NoError(t, err)
	awstest.Equal(t, "items", []string{"a", "b", "c"}, got)
}

func TestAnIncompleteListingIsAnError(t *testing.T) {
	t.Parallel()
	for want, pages := range map[string]map[string]page{
		"the answer has no list":                             {"": {nil, ""}},
		"the listing is cut short: a page token is repeated": {"": {[]string{"a"}, "2"}, "2": {[]string{"b"}, "2"}},
		"no such token":                                      {"": {[]string{"a"}, "2"}},
	} {
		if got, err := list(pages); err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want error %q", got, err, want)
		}
	}
}

func TestResultsAreInTheOrderOfTheItems(t *testing.T) {
	t.Parallel()
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	got, err := query.Gather(t.Context(), items, func(_ context.Context, i int) ([]int, error) { return []int{i, i}, nil })
	if err != nil || len(got) != 200 || !slices.IsSorted(got) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestTheFirstErrorEndsTheOtherCalls(t *testing.T) {
	t.Parallel()
	failure := errors.New("no answer")
	err := query.Each(t.Context(), []int{1, 2, 3}, func(ctx context.Context, i int) error {
		if i == 2 {
			return failure
		}
		<-ctx.Done()
		return ctx.Err()
	})
	awstest.ErrorIs(t, "a failure", err, failure)
}

func TestAnErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	refused := func(code string) error {
		return &smithy.OperationError{ServiceID: "ECS", OperationName: "ListTasks", Err: &smithy.GenericAPIError{Code: code, Message: "no"}}
	}
	page := func(status int) error { // without a code
		return &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Message: "x"},
		}
	}
	unused := `; if it is not used here, take "ecs" out of protect.inUse`
	for _, c := range []struct {
		err  error
		want string
	}{
		{refused("AccessDeniedException"), "; allow the action ecs:ListTasks"},
		{&smithy.GenericAPIError{Code: "AccessDenied"}, "; allow the action"},
		{refused("OptInRequired"), unused},
		{refused("UnknownOperationException"), unused},
		{refused("UnrecognizedClientException"), unused}, // the Region is not enabled
		{refused("MissingAuthenticationTokenException"), unused},
		{page(http.StatusNotFound), unused}, // a host that answers for all Regions
		{page(http.StatusForbidden), unused},
		{page(http.StatusBadRequest), "x"},
		{&smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 501}}, Err: errors.New("x")}, unused},
		{&smithyhttp.RequestSendError{Err: errors.New("refused")}, unused},
		{&smithyhttp.RequestSendError{Err: context.Canceled}, "canceled"},
		{refused("ServerException"), "no"},
	} {
		got := query.Explain("ecs", "list tasks", c.err)
		if !strings.HasPrefix(got.Error(), "list tasks: ") || !strings.HasSuffix(got.Error(), c.want) || !errors.Is(got, c.err) {
			t.Errorf("Explain(%v) = %v, want the suffix %q", c.err, got, c.want)
		}
	}
}

func TestAnErrorSaysWhichFieldTurnsTheCallOff(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"AccessDeniedException":     "; allow the action ecs:ListDaemons, or set protect.ecs.daemons to false",
		"UnknownOperationException": "; if it is not used here, set protect.ecs.daemons to false",
		"ServerException":           "no",
	} {
		err := &smithy.OperationError{
			ServiceID: "ECS", OperationName: "ListDaemons", Err: &smithy.GenericAPIError{Code: code, Message: "no"},
		}
		got := query.ExplainField("protect.ecs.daemons", "list daemons", err)
		if !strings.HasPrefix(got.Error(), "list daemons: ") || !strings.HasSuffix(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("ExplainField(%v) = %v, want the suffix %q", err, got, want)
		}
	}
}

// A panic in a goroutine would otherwise end the program without a report.
func TestAPanicIsAnError(t *testing.T) {
	t.Parallel()
	const want = "the program is faulty: fault; please report it"
	err := query.Each(t.Context(), []int{1, 2}, func(context.Context, int) error { panic("fault") })
	awstest.ErrorContains(t, err, want)
	for item, err := range query.Merge(t.Context(), 2, []int{1}, func(context.Context, int) iter.Seq2[int, error] {
		return func(func(int, error) bool) { panic("fault") }
	}) {
		awstest.Equal(t, "item", 0, item)
		awstest.ErrorContains(t, err, want)
	}
}
