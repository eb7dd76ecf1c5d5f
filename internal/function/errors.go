package function

// Lambda reports the type name of the error that a handler returns as
// errorType. These types are the function's outermost errors, so that the
// name says what to look at.

// A RequestError says that the event is not a request that can be carried out. It
// cannot be read, the configuration forbids it, or it asks for repositories that do not
// exist or are excluded.
type RequestError struct{ Err error }

func (e *RequestError) Error() string { return "request: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// A ConfigurationError says that the configuration cannot be read or honoured.
type ConfigurationError struct{ Err error }

func (e *ConfigurationError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ConfigurationError) Unwrap() error { return e.Err }

// A RegistryError says that the registry cannot be reached or listed, or that the
// clock of this machine is wrong.
type RegistryError struct{ Err error }

func (e *RegistryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RegistryError) Unwrap() error { return e.Err }
