// Command ecrclean shows what lifecycle policies would remove from an Amazon ECR
// registry, explains every verdict, and removes the images. It shares its code with the
// Lambda function cleaner.
//
// # Usage
//
// "ecrclean --help" lists the commands, and every command has --help. ecrclean uses your
// usual AWS credentials and Region: AWS_PROFILE or --profile, AWS_REGION or --region,
// AWS_ENDPOINT_URL. --config or the environment variable CLEANER_CONFIG names the
// configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER, or the JSON text itself. The mode
// of the configuration has no effect: plan removes nothing and apply removes images.
//
// # Signals
//
// After SIGINT, SIGTERM or SIGHUP, ecrclean starts no further call. It waits for the calls
// that remove images, gives up the others, and reports the images that are left. A second
// signal ends the program at once.
//
// # Exit status
//
//	0  success; protected, blocked, changed and gone images are normal for plan and apply
//	1  the operation failed, or its result could not be written
//	2  bad usage, configuration, policy or input; a pattern of --repositories matches no
//	   repository
//	3  partly done: the run is incomplete, a limit stopped apply, images in use stopped
//	   attach, the log could not be written, audit could not read a line about an image, or
//	   a named image or repository was skipped
//	4  only with --detailed-exitcode: plan would remove images, or diff has found a difference
package main
