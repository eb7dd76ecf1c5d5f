// Package ecrapi talks to Amazon ECR. With policyapi below it, which only the
// tool links, it alone imports the SDK's ecr module: it turns pages into
// sequences, image details into evaluator.Image values (by way of imagepage)
// and error codes into the errors of package cleaner, and it refuses to guess:
// an image detail without digest or push time is an error, not an image.
package ecrapi
