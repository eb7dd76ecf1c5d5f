package function

import (
	"context"
	"encoding/json"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// judge carries out step judge.
func (h *Handler) judge(ctx context.Context, request config.Request) (fleet.JudgeAnswer, error) {
	r, err := fleet.Judge(ctx, h.Fleet.Store, request.Execution, request.Mode, h.Now().UTC())
	if err != nil {
		return fleet.JudgeAnswer{}, err
	}
	location := fleet.ReportLocation(h.Fleet.Store, request.Execution)
	cause, err := json.Marshal(map[string]string{"message": r.Message, "report": location})
	return fleet.JudgeAnswer{
		Handled: r.Handled, Expected: r.Expected, Done: r.Done, Skipped: r.Skipped, Failed: r.Failed, Report: location, Cause: string(cause),
	}, err
}
