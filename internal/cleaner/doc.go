// Package cleaner is the use case: it plans what goes from one repository,
// carries such a plan out, and runs both over a registry. It knows the registry
// only through the small interfaces below and no AWS type at all.
//
// Planning and applying are two functions. [Plan] is given nothing that could
// remove an image; [Apply] decides nothing, it only leaves out what has changed
// since the plan. Whatever is in doubt stays: a repository that cannot be read
// whole is not touched, and the report says so.
package cleaner
