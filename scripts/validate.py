#!/usr/bin/env python3
"""Checks template.yaml and deploy/*.yaml without an AWS account, the SAM CLI or Docker.

The script translates the template to CloudFormation as AWS does, and lints all templates. It
also checks what no linter knows: the permissions of the function's role in each mode and of
the role in other accounts, the schedule, the alarms, and the build target. It prints a line
for each check, and ends with status 1 at the first check that fails.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zoneinfo

try:
    from cfnlint.api import ManualArgs, lint_file
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse
    import statelint  # noqa: F401
except ImportError as e:
    sys.exit(f"validate: {e}; install them with: make venv")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEMPLATE = os.path.join(ROOT, "template.yaml")
MEMBER_ROLE = os.path.join(ROOT, "deploy", "member-role.yaml")
MEMBER_REGION = os.path.join(ROOT, "deploy", "member-region.yaml")
FLEET, FLEET_MEMBER, FLEET_MEMBER_REGION, FLEET_ORGANIZATION = (
    os.path.join(ROOT, "deploy", name)
    for name in ("fleet.yaml", "fleet-member.yaml", "fleet-member-region.yaml", "fleet-organization.yaml")
)
DEFINITION = os.path.join(ROOT, "deploy", "fleet.asl.json")
FUNCTIONS = (TEMPLATE, FLEET)  # the templates with the function
TEMPLATES = (TEMPLATE, MEMBER_ROLE, MEMBER_REGION, FLEET, FLEET_MEMBER, FLEET_MEMBER_REGION, FLEET_ORGANIZATION)
REGION = "eu-west-1"
NO_VALUE = object()

# Actions with these beginnings only read. Other actions change something, except those
# that every function needs: to write its log and to report its failure.
READING = ("Describe", "Get", "List", "BatchGet")
NEEDED = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage", "lambda:InvokeFunction"}

# The actions that the role may have on the resource "*", and why: the service
# authorization reference has no resource type for them, or none that helps.
# https://docs.aws.amazon.com/service-authorization/latest/reference/
NO_TYPE = "it has no resource type"
UNBOUND = {
    "apprunner:ListServices": NO_TYPE,
    "batch:DescribeJobDefinitions": NO_TYPE,
    "batch:DescribeJobQueues": NO_TYPE,
    "batch:DescribeJobs": NO_TYPE,
    "batch:DescribeServiceJob": NO_TYPE,
    "batch:ListJobs": NO_TYPE,
    "batch:ListServiceJobs": NO_TYPE,
    "bedrock-agentcore:ListAgentRuntimeVersions": NO_TYPE,
    "bedrock-agentcore:ListAgentRuntimes": NO_TYPE,
    "bedrock-agentcore:ListHarnessVersions": "like that of agent runtimes",
    "bedrock-agentcore:ListHarnesses": NO_TYPE,
    "codebuild:ListProjects": NO_TYPE,
    "ec2:DescribeNetworkInterfaces": NO_TYPE,
    "ec2:DescribeSubnets": NO_TYPE,
    "ecr:DescribeRegistry": NO_TYPE + "; the settings are the registry's",
    "ecr:GetRegistryPolicy": NO_TYPE + "; the policy is the registry's",
    "ecr:ListPullTimeUpdateExclusions": NO_TYPE + "; the exclusions are the registry's",
    "ecr:ListReplicationBackfills": NO_TYPE + "; the backfills are the registry's",
    "ecs:DescribeTaskDefinition": NO_TYPE,
    "ecs:ListClusters": NO_TYPE,
    "ecs:ListDaemonTaskDefinitions": NO_TYPE,
    "ecs:ListDaemons": NO_TYPE,
    "ecs:ListServices": NO_TYPE,
    "ecs:ListTaskDefinitionFamilies": NO_TYPE,
    "ecs:ListTaskDefinitions": NO_TYPE,
    "ecs:ListTasks": "its one type is the container instance, and tasks of Fargate are on none",
    "eks:ListClusters": NO_TYPE,
    "emr-serverless:ListApplications": NO_TYPE,
    "events:ListEventBuses": NO_TYPE,
    "events:ListRuleNamesByTarget": NO_TYPE,
    "lambda:ListFunctions": NO_TYPE,
    "lambda:ListRuntimeVersions": "the runtime may belong to another account",
    "pipes:ListPipes": NO_TYPE,
    "account:ListRegions": "the account is that of the role, or a member of the organization",
    "sagemaker:ListAlgorithms": NO_TYPE,
    "sagemaker:ListEndpoints": NO_TYPE,
    "sagemaker:ListHyperParameterTuningJobs": NO_TYPE,
    "sagemaker:ListImages": NO_TYPE,
    "sagemaker:ListInferenceComponents": NO_TYPE,
    "sagemaker:ListModels": NO_TYPE,
    "sagemaker:ListMonitoringSchedules": NO_TYPE,
    "sagemaker:ListPipelines": NO_TYPE,
    "sagemaker:ListProcessingJobs": NO_TYPE,
    "sagemaker:ListTrainingJobs": NO_TYPE,
    "scheduler:ListSchedules": "the function lists the schedules of all groups",
    "states:ListStateMachines": NO_TYPE,
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    "logs:CreateLogDelivery": NO_TYPE,
    "logs:DeleteLogDelivery": NO_TYPE,
    "logs:DescribeLogGroups": "Step Functions finds the log group itself",
    "logs:DescribeResourcePolicies": NO_TYPE,
    "logs:GetLogDelivery": NO_TYPE,
    "logs:ListLogDeliveries": NO_TYPE,
    "logs:PutResourcePolicy": NO_TYPE,
    "logs:UpdateLogDelivery": NO_TYPE,
    "organizations:DescribeOrganization": NO_TYPE,
    "organizations:ListAccounts": NO_TYPE,
    "organizations:ListAccountsForParent": "the units are those of the configuration",
    "organizations:ListOrganizationalUnitsForParent": "the units are those of the configuration",
}

# The allowed ends of other resources with a wildcard: all repositories, unless
# RepositoryArns names some, and the resources of the in-use sources.
WILDCARDS = {
    "apprunner": ("service/*",),
    "bedrock-agentcore": ("harness/*", "runtime/*"),
    "codebuild": ("project/*",),
    "ec2": (":*/*",),  # Lambda checks that the role may manage any network interface
    "ecr": ("repository/*",),
    "ecs": (
        "daemon/*", "daemon-deployment/*", "daemon-revision/*", "daemon-task-definition/*",
        "service/*", "service-deployment/*", "service-revision/*", "task/*", "task-set/*",
    ),
    "eks": ("cluster/*",),
    "emr-serverless": ("/applications/*",),
    "events": ("rule/*",),
    "lambda": ("function:*",),
    "pipes": ("pipe/*",),
    "sagemaker": (
        "algorithm/*", "data-quality-job-definition/*", "endpoint/*", "hyper-parameter-tuning-job/*", "image/*",
        "image-version/*", "inference-component/*", "model/*", "model-bias-job-definition/*",
        "model-explainability-job-definition/*", "model-package/*", "model-quality-job-definition/*",
        "monitoring-schedule/*", "pipeline/*", "processing-job/*", "training-job/*",
    ),
    "s3": ("${Bucket.Arn}/fleet/*", "${Bucket.Arn}/fleet/*/items/*", "${Bucket.Arn}/fleet/*/maps/*"),
    "scheduler": ("schedule/*",),
    "states": ("stateMachine:*", "execution:${AWS::StackName}:*", "execution:${AWS::StackName}/*"),
}
# This action is always allowed on all repositories, because listing them needs that.
LISTING = "ecr:DescribeRepositories"

# The resource types that give access without a role of the account.
OPEN = ("AWS::Lambda::Permission", "AWS::Lambda::Url", "AWS::Logs::ResourcePolicy", "AWS::SQS::QueuePolicy")

# The metrics of the alarms. Together they show every way in which a run can fail.
ERRORS = ("AWS/Lambda", "Errors", "FunctionName")  # also a run that Lambda kills, for time or memory
DEAD_LETTERS = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName")
ALARMS = {
    TEMPLATE: {ERRORS, DEAD_LETTERS, ("AWS/Lambda", "Throttles", "FunctionName"), ("EcrCleaner", "IncompleteRuns", "FunctionName")},
    # An execution with a run that was incomplete, or that never started, fails.
    FLEET: {ERRORS, DEAD_LETTERS, *(("AWS/States", f"Executions{how}", "StateMachineArn") for how in ("Failed", "TimedOut", "Aborted"))},
}


class Failure(Exception):
    """A check that did not hold."""


def check(holds, text):
    if not holds:
        raise Failure(text)


class NoManagedPolicies:
    """Replaces the translator's call of IAM for the managed policies of AWS."""

    def load(self):
        return {}


def load(path=TEMPLATE):
    with open(path, encoding="utf-8") as f:
        return yaml_parse(f.read())


def translated(parameters, path=TEMPLATE):
    """A template as plain CloudFormation, for the given parameters. A definition is inside."""
    template = load(path)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "CodeUri" in properties:
            properties["CodeUri"] = "s3://artifacts/code.zip"
        if "DefinitionUri" in properties:
            name = os.path.join(os.path.dirname(path), properties.pop("DefinitionUri"))
            check(name == DEFINITION, f"the definition is {name}")
            with open(name, encoding="utf-8") as f:
                properties["Definition"] = json.load(f)
    try:
        return transform(template, parameters, NoManagedPolicies())
    except InvalidDocumentException as e:
        raise Failure("; ".join([e.message, *(c.message for c in e.causes)])) from e


def evaluate(node, scope):
    """Resolves Ref, Fn::If and conditions; leaves other functions in place."""
    if isinstance(node, list):
        values = [evaluate(n, scope) for n in node]
        return [v for v in values if v is not NO_VALUE]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (key, value), = node.items()
        if key == "Ref":
            return NO_VALUE if value == "AWS::NoValue" else scope["parameters"].get(value, node)
        if key == "Fn::If":
            return evaluate(value[1] if holds(scope, value[0]) else value[2], scope)
        if key == "Fn::Equals":
            left, right = evaluate(value, scope)
            return str(left) == str(right)
        if key == "Condition":
            return holds(scope, value)
        if key == "Fn::And":
            return all(evaluate(value, scope))
        if key == "Fn::Not":
            return not evaluate(value, scope)[0]
        if key == "Fn::Join":
            return value[0].join(evaluate(value[1], scope))
        if key == "Fn::Split":
            return evaluate(value[1], scope).split(value[0])
        if key == "Fn::Sub" and isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda m: str(scope["parameters"].get(m[1], m[0])), value)
    values = {k: evaluate(v, scope) for k, v in node.items()}
    return {k: v for k, v in values.items() if v is not NO_VALUE}


def holds(scope, condition):
    return evaluate(scope["conditions"][condition], scope)


def deployed(mode, path=TEMPLATE, **chosen):
    """The resources of a stack with that mode and these parameters, functions resolved."""
    parameters = load(path)["Parameters"]
    values = {name: p["Default"] for name, p in parameters.items()} | {"Mode": mode} | chosen
    template = translated(dict(values), path)
    for name, p in parameters.items():
        if p["Type"] == "CommaDelimitedList":
            values[name] = values[name].split(",")
    return resolved(template, values)


def all_services():
    """The parameters of a template of which each allows a service."""
    return {name: "true" for name in load(MEMBER_ROLE)["Parameters"] if name.startswith("InUse")}


def member_role():
    """The resources of the role of another account with all services."""
    return resolved(load(MEMBER_ROLE), all_services())


def fleet_members():
    """The resources of the roles that the fleet assumes, with all services."""
    roles = resolved(load(FLEET_MEMBER), {"Mode": "apply", "RepositoryTags": "true", **all_services()})
    return roles | resolved(load(FLEET_ORGANIZATION), {})


def resolved(template, values):
    scope = {"parameters": values | {"AWS::Region": REGION}, "conditions": template.get("Conditions", {})}
    return {
        name: evaluate(r, scope)
        for name, r in template["Resources"].items()
        if "Condition" not in r or holds(scope, r["Condition"])
    }


def statements(resources):
    """Every statement of every identity policy, with the resource it is in."""
    for name, r in resources.items():
        if not r["Type"].startswith("AWS::IAM::"):
            continue
        properties = r["Properties"]
        check(not properties.get("ManagedPolicyArns"), f"{name} has managed policies")
        documents = [p["PolicyDocument"] for p in properties.get("Policies", [])]
        if "PolicyDocument" in properties:
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def actions(resources):
    """Every action that the stack's roles allow. None may have a wildcard."""
    allowed = set()
    for name, statement in statements(resources):
        if statement["Effect"] == "Deny":
            continue  # see check_regions
        check("NotAction" not in statement, f"{name} allows all but some actions")
        listed = statement["Action"]
        listed = [listed] if isinstance(listed, str) else listed
        for action in listed:
            check("*" not in action, f"{name} allows {action}: name the actions")
            for resource in resources_of(statement):
                check(resource != "*" or action in UNBOUND, f"{name} allows {action} on every resource")
        allowed.update(listed)
    return allowed


def resources_of(statement):
    """The resources of a statement, those that the template computes as their text."""
    listed = statement["Resource"]
    listed = listed if isinstance(listed, list) else [listed]
    return [r if isinstance(r, str) else str(r) for r in listed]


def check_translation():
    """SAM accepts the templates"""
    for path in FUNCTIONS:
        translated({}, path)


def check_lint():
    """cfn-lint finds nothing in the templates and their translations"""
    with tempfile.TemporaryDirectory() as folder:
        plain = {path: os.path.join(folder, os.path.basename(path) + ".json") for path in FUNCTIONS}
        for path, name in plain.items():
            with open(name, "w", encoding="utf-8") as f:
                json.dump(translated({}, path), f, indent=1)
        for path in (*TEMPLATES, *plain.values()):
            found = lint_file(pathlib.Path(path), config=ManualArgs(regions=[REGION]))
            check(not found, "\n".join(map(str, found)))


def changing(resources):
    """The actions that change something, without those that every function needs."""
    return {a for a in actions(resources) - NEEDED if not a.split(":")[1].startswith(READING)}


def check_role():
    """only with mode apply the role can delete or archive an image, and with mode references it cannot read one"""
    for mode in ("plan", "references"):
        found = changing(deployed(mode))
        check(not found, f"with mode {mode} the role allows {sorted(found)}")
    check("ecr:BatchDeleteImage" in changing(deployed("apply")), "with mode apply the role does not allow ecr:BatchDeleteImage")
    found = [a for a in actions(deployed("references")) if a.startswith("ecr:")]
    check(not found, f"with mode references the role allows {sorted(found)}")


def check_member_role():
    """the role of another account can only read"""
    found = changing(member_role())
    check(not found, f"the role allows {sorted(found)}")


# IAM counts no white space.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE_LIMIT = 10240


def check_size():
    """the inline policies of a role with all services are within IAM's limit"""
    stacks = {
        "function's": deployed("apply", **all_services(), **VPC), "member": member_role(),
        "fleet's": deployed("apply", FLEET, **VPC), "fleet's members": fleet_members(),
    }
    for name, resources in stacks.items():
        text = "".join(json.dumps(s, separators=(",", ":")) for _, s in statements(resources))
        check(len(text) < INLINE_LIMIT * 0.9, f"the policies of the {name} role have {len(text)} characters")


# The additional permission of each parameter.
GRANTS = {
    "ConfigurationObjectArn": ("arn:aws:s3:::bucket/key.json", "s3:GetObject"),
    "ConfigurationParameterArn": ("arn:aws:ssm:eu-west-1:123456789012:parameter/cleaner", "ssm:GetParameter"),
    "ConfigurationKeyArn": ("arn:aws:kms:eu-west-1:123456789012:key/0123", "kms:Decrypt"),
    "MemberRoleArns": ("arn:aws:iam::222222222222:role/ecr-cleaner-member", "sts:AssumeRole"),
    "ReferenceListArns": ("arn:aws:s3:::bucket/list.json", "s3:GetObject"),
    "ReferenceListKeyArn": ("arn:aws:kms:eu-west-1:123456789012:key/4567", "kms:Decrypt"),
    "ReferenceListTargetArn": ("arn:aws:s3:::bucket/lists/222222222222/*", "s3:PutObject"),
    "RepositoryTags": ("true", "ecr:ListTagsForResource"),
    "ReaderRoleArns": ("arn:aws:iam::222222222222:role/ecr-cleaner-reader", "sts:AssumeRole"),
    "OrganizationRoleArn": ("arn:aws:iam::111111111111:role/ecr-cleaner-organization", "sts:AssumeRole"),
}


def added(path=TEMPLATE, **chosen):
    """The statements that parameters add to those of mode plan."""
    always = " ".join(str(s) for _, s in statements(deployed("plan", path)))
    return [s for _, s in statements(deployed("plan", path, **chosen)) if str(s) not in always]


def check_grants():
    """each optional parameter adds one permission, only for the resource that it names"""
    known = [(path, name) for path in FUNCTIONS for name in load(path)["Parameters"] if name in GRANTS]
    for path, name in known:
        value, action = GRANTS[name]
        found = added(path, **{name: value})
        check([s["Action"] for s in found] == [action], f"{name} adds {found}, not {action} alone")
        if value.startswith("arn:"):
            check(resources_of(found[0]) == [value], f"{name} allows {action} on {found[0]['Resource']}")
    write, key = added(**{name: GRANTS[name][0] for name in ("ReferenceListTargetArn", "ReferenceListKeyArn")})
    found = [write["Action"], key["Action"]]
    check(found == ["s3:PutObject", "kms:GenerateDataKey"], f"to write an encrypted list, the role allows {found}")


def check_prefix():
    """a prefix of lists can be listed and read, and nothing else in its bucket"""
    bucket = "arn:${AWS::Partition}:s3:::bucket"
    for path in FUNCTIONS:
        get, listing = added(path, ReferenceListBucket="bucket", ReferenceListPrefix="a/b/")
        check((get["Action"], get["Resource"]) == ("s3:GetObject", bucket + "/a/b/*"), f"the role allows {get}")
        check((listing["Action"], listing["Resource"]) == ("s3:ListBucket", bucket), f"the role allows {listing}")
        check(listing["Condition"] == {"StringEquals": {"s3:prefix": "a/b/"}}, f"the role may list {listing['Condition']}")


# The actions whose resource a parameter names, with its Region.
NAMED = {"kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:ListBucket", "s3:PutObject", "ssm:GetParameter", "sts:AssumeRole"}


def check_regions():
    """the role is confined to the Region of the stack and those of InUseRegions"""
    for chosen, want in (("", [""]), ("us-east-1,eu-north-1", ["us-east-1", "eu-north-1"])):
        denied = [s for _, s in statements(deployed("plan", InUseRegions=chosen)) if s["Effect"] == "Deny"]
        check(len(denied) == 1, f"{len(denied)} statements deny something")
        check(set(denied[0]["NotAction"]) == NAMED and denied[0]["Resource"] == "*", f"the role is denied all but {denied[0]['NotAction']}")
        condition = {"StringNotEquals": {"aws:RequestedRegion": [REGION, *want]}}
        check(denied[0]["Condition"] == condition, f"with {chosen} the condition is {denied[0]['Condition']}")


ROLES_IN_ACCOUNTS = (
    ("arn:aws:iam::222222222222:role/ecr-cleaner-member", "arn:aws:iam::*:role/path/ecr-cleaner-member", ""),
    ("*", "arn:aws:iam::*:role/*", "arn:aws:iam::222222222222:role/ecr-*", "arn:aws:iam::2*:role/a", "arn:aws:iam::222222222222:user/a"),
)

# The values that AllowedPattern of a parameter accepts, and some that it refuses.
# CloudFormation matches the whole value, and each entry of a list.
PATTERNS = {
    "MemberRoleArns": ROLES_IN_ACCOUNTS,
    "ReaderRoleArns": ROLES_IN_ACCOUNTS,
    "RemoverRoleArns": ROLES_IN_ACCOUNTS,
    "OrganizationRoleArn": (("arn:aws:iam::111111111111:role/a", ""), ("*", "arn:aws:iam::*:role/a", "arn:aws:iam::111111111111:role/*")),
    "CleanerRoleArn": (("arn:aws:iam::111111111111:role/a",), ("", "*", "arn:aws:iam::*:role/a", "arn:aws:iam::111111111111:root")),
    "ReferenceListTargetArn": (
        ("arn:aws:s3:::bucket/list.json", "arn:aws:s3:::bucket/lists/222222222222/*", ""),
        ("*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::*/a", "arn:aws:s3:::bucket/a*", "arn:aws:s3:::bucket/*/a", "arn:aws:s3:::bucket/${aws:username}/*"),
    ),
    "ReferenceListPrefix": (("lists/", "a/b/"), ("", "/", "*/", "lists", "a/*/", "a//")),
    "InUseRegions": (("us-east-1", "us-gov-west-1", ""), ("*", "us-*", "us-east")),
}


def check_patterns():
    """no parameter takes a wildcard where it would allow more than it says"""
    tested = set()
    for name, parameter in (p for path in TEMPLATES for p in load(path)["Parameters"].items()):
        accepted, refused = PATTERNS.get(name, ((), ()))
        for value in (*accepted, *refused):
            tested.add(name)
            matches = bool(re.fullmatch(parameter["AllowedPattern"], value))
            check(matches == (value in accepted), f"{name} accepts {value}: {matches}")
    check(tested == set(PATTERNS), f"only {sorted(tested)} are parameters")


# The parameters that connect the function to a VPC.
VPC = {"SubnetIds": "subnet-0a,subnet-0b", "SecurityGroupIds": "sg-0c"}


def check_vpc():
    """the function is in a VPC, and its role may connect it, if and only if a parameter says so"""
    for path, chosen in ((path, chosen) for path in FUNCTIONS for chosen in ({}, VPC)):
        resources = deployed("plan", path, **chosen)
        function, = (r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::Function")
        config = {name: ",".join(ids) for name, ids in function.get("VpcConfig", {}).items()}
        check(config == chosen, f"with {chosen} the function is in {config}")
        allowed = any(a.startswith("ec2:") for a in actions(resources))
        check(allowed == bool(chosen), f"with {chosen} the role may manage network interfaces: {allowed}")


def check_wildcards():
    """no resource of a role has a wildcard that could be narrower"""
    chosen = "arn:aws:ecr:eu-west-1:123456789012:repository/team-a"
    stacks = [(r, deployed("apply", RepositoryArns=r, **all_services(), **VPC)) for r in ("", chosen)]
    for repositories, resources in (*stacks, ("", member_role()), ("", fleet_members()), ("", deployed("apply", FLEET, **VPC))):
        actions(resources)
        for name, statement in statements(resources):
            if statement["Effect"] == "Deny":
                continue
            listed = statement["Action"]
            for action in [listed] if isinstance(listed, str) else listed:
                for resource in resources_of(statement):
                    service = action.split(":")[0]
                    known = resource.endswith(WILDCARDS.get(service, ())) and (not repositories or service != "ecr" or action == LISTING)
                    check("*" not in resource or resource == "*" or known, f"{name} allows {action} on {resource}")


def check_ways_in():
    """only roles of the account can invoke the function"""
    for name, r in (r for path in FUNCTIONS for r in deployed("apply", path).items()):
        check(r["Type"] not in OPEN, f"{name} is a {r['Type']}")
        check("FunctionUrlConfig" not in r.get("Properties", {}), f"{name} has a URL")


def check_alarms():
    """an alarm shows every way in which a run can fail"""
    for path, want in ALARMS.items():
        alarms = [r["Properties"] for r in deployed("apply", path).values() if r["Type"] == "AWS::CloudWatch::Alarm"]
        found = {(a["Namespace"], a["MetricName"], *(d["Name"] for d in a["Dimensions"])) for a in alarms}
        check(found == want and len(alarms) == len(found), f"the alarms of {path} are on {sorted(found)}")
        for alarm in alarms:
            check(alarm["TreatMissingData"] == "notBreaching" and alarm["Threshold"] == 1, f"{alarm['MetricName']} does not alarm on the first")


def check_concurrency():
    """concurrency is reserved if and only if a parameter says so"""
    cases = (({}, None), ({"ReservedConcurrency": "1"}, "1"), ({"ReservedConcurrency": "0"}, "0"))
    for path, (chosen, want) in ((path, case) for path in FUNCTIONS for case in cases):
        functions = [r["Properties"] for r in deployed("plan", path, **chosen).values() if r["Type"] == "AWS::Lambda::Function"]
        check(len(functions) == 1, f"{len(functions)} functions")
        got = functions[0].get("ReservedConcurrentExecutions")
        check(got == want, f"with {chosen} {got} are reserved, not {want}")


def check_default_mode():
    """the default of the parameter Mode is plan"""
    for path in TEMPLATES:
        mode = load(path)["Parameters"].get("Mode", {"Default": "plan"})
        check(mode["Default"] == "plan", f"{path}: the default of Mode is not plan")


def check_schedule():
    """the schedules are valid and their input has the mode"""
    stacks = ((path, mode) for path in FUNCTIONS for mode in load(path)["Parameters"]["Mode"]["AllowedValues"])
    for path, mode in stacks:
        schedules = [r["Properties"] for r in deployed(mode, path).values() if r["Type"] == "AWS::Scheduler::Schedule"]
        check(len(schedules) == 1, f"{len(schedules)} schedules")
        schedule, = schedules
        said = json.loads(schedule["Target"]["Input"])
        check(said == {"mode": mode}, f"with mode {mode} the schedule's input is {said}")
        check_expression(schedule["ScheduleExpression"])
        zone = schedule["ScheduleExpressionTimezone"]
        check(zone in zoneinfo.available_timezones(), f"{zone} is no time zone")


# The fields of a cron expression: name, smallest and largest number, names that replace
# numbers, and special letters.
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
CRON = (
    ("minutes", 0, 59, (), ""),
    ("hours", 0, 23, (), ""),
    ("day of month", 1, 31, (), "?LW"),
    ("month", 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), ""),
    ("day of week", 1, 7, "SUN MON TUE WED THU FRI SAT".split(), "?L#"),
    ("year", 1970, 2199, (), ""),
)


def check_expression(expression):
    if re.fullmatch(r"rate\([1-9][0-9]* (minute|hour|day)s?\)", expression):
        return
    cron = re.fullmatch(r"cron\((.+)\)", expression)
    check(cron, f"{expression} is neither rate(N unit) nor cron(...)")
    fields = cron[1].split(" ")
    check(len(fields) == len(CRON), f"{expression} has {len(fields)} fields, not {len(CRON)}")
    for text, field in zip(fields, CRON):
        check(field_is_valid(text, field), f"{expression}: {text} is no {field[0]}")
    check((fields[2] == "?") != (fields[4] == "?"), f"{expression}: one of the two day fields must be ?, and one only")


def field_is_valid(text, field):
    _, low, high, names, letters = field
    if text in ("*", "?", "L", "LW"):
        return text == "*" or all(c in letters for c in text)
    for entry in text.split(","):
        parts = re.fullmatch(r"(\*|[0-9]+|[A-Z]{3})(?:-([0-9]+|[A-Z]{3}))?(?:/([0-9]+)|([LW])|#([1-5]))?", entry)
        if not parts or (parts[4] and parts[4] not in letters) or (parts[5] and "#" not in letters):
            return False
        for value in filter(None, parts.group(1, 2)):
            if value != "*" and value not in names and not (value.isdigit() and low <= int(value) <= high):
                return False
    return True


def check_build():
    """SAM builds the function with a target that the Makefile has"""
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as f:
        targets = set(re.findall(r"^([\w-]+):", f.read(), re.MULTILINE))
    for path in FUNCTIONS:
        functions = [(n, r) for n, r in load(path)["Resources"].items() if r["Type"] == "AWS::Serverless::Function"]
        check(functions, f"{path} has no function")
        for name, function in functions:
            method = function.get("Metadata", {}).get("BuildMethod")
            check(method == "makefile", f"{name}: BuildMethod is {method}, not makefile")
            check(f"build-{name}" in targets, f"the Makefile has no target build-{name}")
            folder = os.path.join(os.path.dirname(path), function["Properties"]["CodeUri"])
            check(os.path.samefile(folder, ROOT), f"{name} is built in {folder}, which has no Makefile")


def check_descriptions():
    """every parameter and output has a description"""
    for template in map(load, TEMPLATES):
        for part in ("Parameters", "Outputs"):
            for name, entry in template.get(part, {}).items():
                check(len(entry.get("Description", "")) >= 20, f"{part}: {name} has no description of 20 characters or more")


# What statelint refuses and Step Functions takes: fields of AWS that are not in the published
# language, and a percentage with a fraction.
# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
BEYOND_STATELINT = ('Field "Label" not allowed', 'Field "InputType" not allowed', "ToleratedFailurePercentage is 100.0 but should")


def check_definition():
    """statelint finds nothing in the definition of the state machine"""
    run = subprocess.run([sys.executable, "-m", "statelint", DEFINITION], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    found = [e for e in lines if not re.fullmatch(r"\d+ errors?:|", e.strip()) and not any(text in e for text in BEYOND_STATELINT)]
    check(not found, "\n".join(found))


def check_bucket():
    """the bucket is encrypted, has versions, deletes old objects, and only roles of the account use it, with TLS"""
    resources = deployed("plan", FLEET)
    bucket = resources["Bucket"]["Properties"]
    rule, = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    check(rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms"), f"the encryption is {rule}")
    access = bucket["PublicAccessBlockConfiguration"]
    check(len(access) == 4 and all(access.values()), f"of public access only {access} is refused")
    check(bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], "objects have access control lists")
    check(bucket["VersioningConfiguration"] == {"Status": "Enabled"}, "the bucket keeps no versions")
    expiry, = bucket["LifecycleConfiguration"]["Rules"]
    check(expiry["Status"] == "Enabled" and "Prefix" not in expiry, "only some objects expire")
    check(expiry["ExpirationInDays"] == 365, f"objects expire after {expiry['ExpirationInDays']} days")
    check(expiry["NoncurrentVersionExpiration"]["NoncurrentDays"] > 0, "old versions do not expire")
    deny, = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    check((deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*"), f"the bucket's policy is {deny}")
    check(deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} and len(deny["Resource"]) == 2, f"the bucket's policy is {deny}")


def check_fleet_roles():
    """only with mode apply a role can remove images or the function assume it"""
    for mode in ("plan", "apply"):
        values = {"Mode": mode, "RepositoryTags": "true", **all_services()}
        members = resolved(load(FLEET_MEMBER), values)
        want = {"ecr:BatchDeleteImage", "ecr:UpdateImageStorageClass"} if mode == "apply" else set()
        found = changing(members)
        check(found == want, f"with mode {mode} the roles of an account allow {sorted(found)}")
        cleaner = deployed(mode, FLEET, RemoverRoleArns="arn:aws:iam::*:role/ecr-cleaner-remover")
        check(("RemoverRolePolicy" in cleaner) == (mode == "apply"), f"with mode {mode} the function's permission to assume is wrong")
        check(("RemoverRole" in members) == (mode == "apply"), f"with mode {mode} the role that removes is wrong")


def main():
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    checks = (check_translation, check_lint, check_default_mode, check_role, check_member_role, check_wildcards, check_size,
              check_grants, check_prefix, check_patterns, check_regions, check_ways_in, check_schedule, check_alarms, check_concurrency, check_vpc, check_build, check_descriptions,
              check_definition, check_bucket, check_fleet_roles)
    for c in checks:
        try:
            c()
        except Failure as e:
            sys.exit(f"validate: FAILED: {c.__doc__}\n{e}")
        print(f"validate: {c.__doc__}")


if __name__ == "__main__":
    main()
