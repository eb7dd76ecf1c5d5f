package function

import "errors"

// Lambda reports the name of the type of a handler's error as errorType, by which alarms
// and queries can tell the causes apart.

// A RequestError says that the request is not valid, that the configuration forbids it, or
// that its repositories do not exist or are excluded.
type RequestError struct{ error }

func (e *RequestError) Error() string { return "request: " + e.error.Error() }

func (e *RequestError) Unwrap() error { return e.error }

// A ConfigurationError says that the configuration cannot be read, is not valid, or needs
// a feature that this version lacks.
type ConfigurationError struct{ error }

func (e *ConfigurationError) Unwrap() error { return e.error }

var errKubeconfig = errors.New(`configuration: protect.kubeconfig: only ecrclean reads a kubeconfig, not the function; ` +
	`take it out, and name "eks" in protect.inUse or a list in protect.references`)

// A RegistryError says that the cleaner cannot connect to the registry or list it, or
// that the clock of this machine is wrong.
type RegistryError struct{ error }

func (e *RegistryError) Unwrap() error { return e.error }
