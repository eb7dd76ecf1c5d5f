package fleet

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// The answers of the function to the state machine. Each is small.
type (
	// A TargetsAnswer is that of step targets. If Running is not empty, that execution was
	// there first, and this one must end without acting.
	TargetsAnswer struct {
		Execution  string `json:"execution"`
		Running    string `json:"running,omitempty"`
		Act        bool   `json:"act"` // false if Running is not empty
		Registries int    `json:"registries"`
		Places     int    `json:"places"`
		Skipped    int    `json:"skipped"`
		CycleAnswer
	}
	// A CycleAnswer says what the maps of a cycle read. It is that of step next.
	CycleAnswer struct {
		Cycle          int    `json:"cycle"`
		PlacesKey      string `json:"placesKey"`     // the key in the bucket
		RegistriesKey  string `json:"registriesKey"` // of this cycle
		RegistriesLeft int    `json:"registriesLeft"`
	}
	// A PlaceAnswer is that of mode references for a place.
	PlaceAnswer struct {
		config.Place
		Problem string `json:"problem,omitempty"`
	}
	// A BarrierAnswer is that of step barrier.
	BarrierAnswer struct {
		Listed int `json:"listed"`
		Failed int `json:"failed"`
	}
	// A RegistryAnswer is that of a run for a registry. With a Continuation, the state machine
	// runs it again, in this cycle unless ListsTooOld is true.
	RegistryAnswer struct {
		config.Place
		Round        int                  `json:"round"`
		Again        bool                 `json:"again"` // run the registry again in this cycle
		ListsTooOld  bool                 `json:"listsTooOld,omitempty"`
		Continuation *config.Continuation `json:"continuation"` // null after the last run
		Failed       string               `json:"failed,omitempty"`
	}
	// A JudgeAnswer is that of step judge. Cause is the JSON text {"message": …, "report": …},
	// which the state machine gives as the cause of its failure.
	JudgeAnswer struct {
		Handled  bool   `json:"handled"`
		Expected int    `json:"expected"`
		Done     int    `json:"done"`
		Skipped  int    `json:"skipped"`
		Failed   int    `json:"failed"`
		Report   string `json:"report"` // its location
		Cause    string `json:"cause"`
	}
)
