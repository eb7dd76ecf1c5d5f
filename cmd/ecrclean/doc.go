// Command ecrclean shows what lifecycle policies would remove from an Amazon
// ECR registry, explains every verdict, and removes it when told to. It is the
// same engine as the Lambda function cleaner.
//
// # Usage
//
//	ecrclean plan      [--config C] [--repositories P,...] [--out FILE]
//	ecrclean apply     [FILE] [--yes] [--max-deletions N] [--max-deletions-per-repository N]
//	                   [--max-deleted-percent N] [--max-plan-age D] [--log FILE]
//	ecrclean delete    REPOSITORY IMAGE... [--yes] [--log FILE] [limits as for apply]
//	ecrclean explain   REPOSITORY IMAGE
//	ecrclean policies  [--repositories P,...]
//	ecrclean preview   --policy FILE --images FILE [--now RFC3339]
//	ecrclean check     [--dialect aws|extended] FILE... | --config FILE
//	ecrclean convert   [FILE]
//	ecrclean attach    [--policy FILE | --detach] [--repositories P,...] [--despite-in-use] [--yes]
//	ecrclean adopt     [--repositories P,...] [--out FILE [--detach] [--yes]]
//	ecrclean references [--out FILE|s3://BUCKET/KEY]
//	ecrclean audit     FILE [--run ID]
//	ecrclean invoke    EVENT
//	ecrclean demo
//
// Every command has --help. Credentials, region and endpoint come from where
// every AWS tool takes them: AWS_PROFILE or --profile, AWS_REGION or --region,
// AWS_ENDPOINT_URL. The configuration is what --config or the environment
// variable CLEANER_CONFIG names: a file, s3://BUCKET/KEY, ssm:/PARAMETER, or the
// JSON text itself. The command decides the mode: plan removes nothing and apply
// does, whatever the configuration says.
//
// audit reads the log of the function, or what apply and delete write with --log, and
// lists what the runs removed: what ECR confirmed, what was found removed after a call
// without an answer ("deleted, unconfirmed"), and what may have been removed
// ("unknown").
//
// # Signals
//
// After SIGINT, SIGTERM or SIGHUP nothing further is begun: calls that remove are
// seen to their end, others are given up, and the report says what was not attempted.
// At a question, or while apply without --yes still plans, nothing was removed then.
// A second signal ends the program at once.
//
// # Exit status
//
//	0  done; for plan and apply, images that are protected, blocked by an index,
//	   changed since the plan or gone are normal
//	1  the operation failed, or what it did could not be reported
//	2  usage, configuration, policy or unreadable input; --repositories has a
//	   pattern that matches no repository
//	3  finished, but something was not handled: a call failed or was denied, a
//	   limit stopped apply, images in use stopped attach, the time ran out, a
//	   signal came, the log could not be written, audit could not read a line
//	   about an image, delete did not delete a named image (an image that
//	   somebody else deleted in the meantime counts as deleted), or attach or
//	   adopt left a repository alone that --repositories gives by name, not by
//	   a pattern
package main
