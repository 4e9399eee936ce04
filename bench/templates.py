"""Policy documents, trust policies, names and tags of generated principals, drawn from templates. Writes nothing."""

import random
from typing import Any

Json = dict[str, Any]

#: Stands for the account's own id in what every account gets alike.
OWN_ACCOUNT = "{own-account}"

TEAMS = ("vision", "nlp", "fraud", "churn", "pricing", "search", "forecast", "platform", "risk", "ads")
STAGES = ("dev", "test", "prod")
PURPOSES = (
    "deploy", "train", "etl", "api", "batch", "monitor", "notebook", "pipeline", "inference", "scan", "backup",
    "ingest", "report", "break-glass",
)  # fmt: skip
REGIONS = ("*", "*", "us-east-1", "eu-west-1")
OFFICE = ["192.0.2.0/24", "203.0.113.0/24"]

MANAGED_OF_ROLES = {
    "service-role/AWSLambdaBasicExecutionRole": 14, "AdministratorAccess": 6, "ReadOnlyAccess": 8, "PowerUserAccess": 4,
    "AmazonSageMakerFullAccess": 9, "AmazonS3ReadOnlyAccess": 9, "AmazonS3FullAccess": 5, "SecurityAudit": 4,
    "AmazonSSMManagedInstanceCore": 9, "CloudWatchAgentServerPolicy": 7, "CloudWatchReadOnlyAccess": 4,
    "AmazonEC2ContainerRegistryReadOnly": 6, "service-role/AWSLambdaVPCAccessExecutionRole": 5,
    "service-role/AmazonECSTaskExecutionRolePolicy": 5, "AmazonSageMakerReadOnly": 3, "AmazonDynamoDBFullAccess": 3,
    "service-role/AWSGlueServiceRole": 3, "AmazonAthenaFullAccess": 2, "AmazonEC2FullAccess": 2,
    "AmazonSageMakerCanvasFullAccess": 1, "job-function/DataScientist": 2, "job-function/ViewOnlyAccess": 3,
}  # fmt: skip
MANAGED_OF_USERS = {
    "IAMUserChangePassword": 6, "ReadOnlyAccess": 3, "AdministratorAccess": 1, "AmazonS3ReadOnlyAccess": 3,
    "IAMReadOnlyAccess": 2, "job-function/Billing": 1,
}  # fmt: skip
#: Groups of every account with the AWS managed policies that they carry.
GROUPS: dict[str, tuple[str, ...]] = {
    "Administrators": ("AdministratorAccess",),
    "Developers": ("PowerUserAccess",),
    "DataScientists": ("job-function/DataScientist",),
    "Analysts": ("AmazonAthenaFullAccess", "AmazonS3ReadOnlyAccess"),
    "Auditors": ("SecurityAudit", "job-function/ViewOnlyAccess"),
    "Operators": ("CloudWatchReadOnlyAccess", "AmazonEC2ReadOnlyAccess"),
}

#: Action lists with the ARN tails that they are granted on; an empty tail means that the actions take no resource.
SAGEMAKER: tuple[tuple[tuple[str, ...], str], ...] = (
    (("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"), "training-job/"),
    (("sagemaker:CreateProcessingJob", "sagemaker:Describe*"), "processing-job/"),
    (("sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:DeleteModel"), "model/"),
    (("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"), "endpoint/"),
    (("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint", "sagemaker:CreateEndpointConfig"), "endpoint*/"),
    (("sagemaker:*NotebookInstance*",), "notebook-instance/"),
    (("sagemaker:CreatePresignedNotebookInstanceUrl",), "notebook-instance/"),
    (("sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags"), "*"),
    (("sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution", "sagemaker:Describe*"), "pipeline/"),
    (("sagemaker:*ModelPackage*",), "model-package*/"),
    (("sagemaker:PutRecord", "sagemaker:GetRecord", "sagemaker:BatchGetRecord"), "feature-group/"),
    (
        ("sagemaker:CreateHyperParameterTuningJob", "sagemaker:StopHyperParameterTuningJob"),
        "hyper-parameter-tuning-job/",
    ),
    (("sagemaker:List*", "sagemaker:Search"), ""),
    (("sagemaker:Describe*", "sagemaker:List*", "sagemaker:Get*"), ""),
    (("sagemaker:*",), ""),
)
OTHERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("s3:GetObject", "s3:PutObject"), "arn:aws:s3:::{prefix}-data/*"),
    (("s3:ListBucket", "s3:GetBucketLocation"), "arn:aws:s3:::{prefix}-*"),
    (("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"), "*"),
    (("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), "*"),
    (("kms:Decrypt", "kms:GenerateDataKey"), "arn:aws:kms:{region}:{account}:key/*"),
    (
        ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        "arn:aws:dynamodb:{region}:{account}:table/{prefix}-*",
    ),
    (("sqs:SendMessage", "sqs:ReceiveMessage"), "arn:aws:sqs:{region}:{account}:{prefix}-*"),
    (("lambda:InvokeFunction",), "arn:aws:lambda:{region}:{account}:function:{prefix}-*"),
    (("ec2:Describe*",), "*"),
    (("secretsmanager:GetSecretValue",), "arn:aws:secretsmanager:{region}:{account}:secret:{prefix}/*"),
    (("iam:PassRole",), "arn:aws:iam::{account}:role/service-role/*"),
    (("iam:PassRole",), "arn:aws:iam::{account}:role/{prefix}-*"),
    (("sts:AssumeRole",), "arn:aws:iam::{account}:role/rollout/*"),
    (("states:StartExecution",), "arn:aws:states:{region}:{account}:stateMachine:{prefix}-*"),
)
SERVICES = (
    "lambda.amazonaws.com", "ec2.amazonaws.com", "sagemaker.amazonaws.com", "sagemaker.amazonaws.com",
    "ecs-tasks.amazonaws.com", "glue.amazonaws.com", "states.amazonaws.com",
)  # fmt: skip


def name(chance: random.Random) -> str:
    """Return a name such as ``vision-train-prod``."""
    return f"{chance.choice(TEAMS)}-{chance.choice(PURPOSES)}-{chance.choice(STAGES)}"


def tags(chance: random.Random) -> list[Json]:
    """Return up to three tags."""
    every = {"team": chance.choice(TEAMS), "Project": chance.choice("ABC"), "environment": chance.choice(STAGES)}
    kept = sorted(chance.sample(list(every), chance.randint(0, len(every))))
    return [{"Key": key, "Value": every[key]} for key in kept]


def boundaries() -> dict[str, Json]:
    """Return the permissions boundaries of every account by name."""
    pass_to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    service_roles = f"arn:aws:iam::{OWN_ACCOUNT}:role/service-role/*"
    return {
        "workloads": _policy(
            [_allow(["sagemaker:*", "s3:*", "logs:*", "ecr:*", "ec2:Describe*", "kms:*", "lambda:*"])]
        ),
        "data-science": _policy(
            [
                _allow(["sagemaker:Describe*", "sagemaker:List*", "sagemaker:Create*Job", "sagemaker:Stop*", "s3:*"]),
                {**_allow(["iam:PassRole"], service_roles), "Condition": pass_to_sagemaker},
            ]
        ),
        "no-administration": _policy(
            [_allow(["*"]), {"Effect": "Deny", "Action": ["iam:*", "sagemaker:Delete*"], "Resource": "*"}]
        ),
    }


def document(chance: random.Random, account_id: str, conditions: float) -> Json:
    """Return an identity policy of one to four statements, the share ``conditions`` of them with a condition."""
    statements = []
    for number in range(chance.choice((1, 1, 2, 2, 3, 4))):
        statement = _statement(chance, account_id)
        if chance.random() < 0.4:
            statement = {"Sid": f"S{number}", **statement}
        if chance.random() < conditions:
            statement["Condition"] = _condition(chance, statement)
        statements.append(statement)
    return _policy(statements if len(statements) > 1 or chance.random() < 0.9 else statements[0])


def trust(chance: random.Random, account_id: str) -> Json:
    """Return a trust policy: mostly services, else the own account, a pipeline's or a directory's federation."""
    kind = chance.random()
    action: str | list[str] = "sts:AssumeRole"
    extra: Json = {}
    if kind < 0.7:
        principal: Json = {"Service": chance.choice(SERVICES)}
    elif kind < 0.85:
        principal = {"AWS": f"arn:aws:iam::{account_id}:root"}
        action = ["sts:AssumeRole", "sts:TagSession"] if chance.random() < 0.2 else action
    elif kind < 0.93:
        principal = {"Federated": f"arn:aws:iam::{account_id}:oidc-provider/token.actions.githubusercontent.com"}
        action = "sts:AssumeRoleWithWebIdentity"
        extra = {"Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}
    else:
        principal = {"Federated": f"arn:aws:iam::{account_id}:saml-provider/directory"}
        action = "sts:AssumeRoleWithSAML"
        extra = {"Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}}
    return _policy([{"Effect": "Allow", "Principal": principal, "Action": action, **extra}])


def _policy(statement: Json | list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": statement}


def _allow(actions: list[str], resource: str = "*") -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _statement(chance: random.Random, account_id: str) -> Json:
    """Return a statement without condition: about half SageMaker, some Denies, few NotAction and NotResource."""
    if chance.random() < 0.5:
        actions, tail = chance.choice(SAGEMAKER)
        resource = _sagemaker_resource(chance, account_id, tail)
    else:
        actions, pattern = chance.choice(OTHERS)
        prefix = f"{chance.choice(TEAMS)}-{chance.choice(STAGES)}"
        resource = pattern.format(prefix=prefix, account=account_id, region=chance.choice(REGIONS))
    chosen = sorted(chance.sample(actions, chance.randint(1, len(actions))))
    statement: Json = {"Effect": "Deny" if chance.random() < 0.08 else "Allow"}
    rare = chance.random()
    if rare < 0.02:
        return {**statement, "NotAction": ["iam:*", "organizations:*", *chosen], "Resource": "*"}
    statement["Action"] = chosen if len(chosen) > 1 or chance.random() < 0.5 else chosen[0]
    statement["NotResource" if rare < 0.03 and resource != "*" else "Resource"] = resource
    return statement


def _sagemaker_resource(chance: random.Random, account_id: str, tail: str) -> str | list[str]:
    if not tail or chance.random() < 0.3:
        return "*"
    place = f"arn:aws:sagemaker:{chance.choice(REGIONS)}:{chance.choice(('*', account_id))}:{tail}"
    kind = chance.random()
    if tail == "*" or kind < 0.3:
        return place.removesuffix("*") + "*"
    if kind < 0.4:
        return place + "${aws:PrincipalTag/team}-*"
    first, second = chance.sample(TEAMS, 2)
    return [f"{place}{first}-*", f"{place}{second}-*"] if kind < 0.6 else f"{place}{first}-*"


def _condition(chance: random.Random, statement: Json) -> Json:
    """Return a condition that fits the statement's service more often than not."""
    first = str(statement.get("Action", ""))
    if "iam:PassRole" in first:
        return {"StringEquals": {"iam:PassedToService": chance.choice(SERVICES)}}
    general: list[Json] = [
        {"StringEquals": {"aws:SourceVpc": f"vpc-{chance.randint(1, 9)}11bbaaa"}},
        {"StringEquals": {"aws:SourceVpce": [f"vpce-{chance.randint(1, 9)}11bbccc", "vpce-111bbddd"]}},
        {"IpAddress": {"aws:SourceIp": OFFICE[: chance.randint(1, 2)]}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"StringEquals": {"aws:RequestedRegion": [chance.choice(("us-east-1", "eu-west-1"))]}},
        {"StringEquals": {"aws:PrincipalTag/team": chance.choice(TEAMS)}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/{chance.choice(TEAMS)}-*"}},
    ]
    if "sagemaker:" not in first:
        return chance.choice(general)
    subnets = [f"subnet-{chance.randint(1, 9)}aa", "subnet-0bb"]
    own: list[Json] = [
        {"StringEquals": {"aws:ResourceTag/Project": chance.choice("ABC")}},
        {"StringNotEquals": {"sagemaker:ResourceTag/environment": chance.choice(STAGES)}},
        {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
        {"StringEquals": {"aws:RequestTag/environment": chance.choice(STAGES)}},
        {"ForAllValues:StringEquals": {"sagemaker:VpcSubnets": subnets}, "Null": {"sagemaker:VpcSubnets": "false"}},
        {"ForAllValues:StringEquals": {"sagemaker:VpcSubnets": subnets}},
        {"ForAnyValue:StringLike": {"sagemaker:InstanceTypes": ["ml.m5.*", f"ml.c{chance.randint(4, 7)}.*"]}},
        {"NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": str(chance.choice((3600, 86400)))}},
    ]
    return chance.choice(own if chance.random() < 0.6 else general)
