"""Resources that are not read and may change who may do what: they are told, never dropped."""

from pipeline.infrastructure.facts import (
    Json,
)

#: Resources that make principals or change who may do what, and that are not read.
UNREAD = (
    "AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::Serverless::Application",
    "AWS::Serverless::Connector", "AWS::SSO::", "AWS::CloudFormation::Stack", "AWS::CloudFormation::Macro",
    "AWS::RAM::",
    "AWS::Organizations::Account", "AWS::Organizations::OrganizationalUnit", "AWS::Organizations::ResourcePolicy",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct", "AWS::ControlTower::", "AWS::Lambda::Permission",
    "AWS::Lambda::LayerVersionPermission", "AWS::IAM::ServiceLinkedRole", "AWS::Serverless::GraphQLApi",
    "AWS::S3::AccessGrant", "AWS::LakeFormation::", "AWS::IdentityStore::", "AWS::RolesAnywhere::",
    "AWS::EKS::PodIdentityAssociation", "AWS::Cognito::IdentityPoolRoleAttachment", "AWS::IoT::Policy",
    "AWS::IoT::RoleAlias", "AWS::OpenSearchServerless::AccessPolicy",
)  # fmt: skip
UNREAD_ENDS = (
    "BucketPolicy", "ResourcePolicy", "QueuePolicy", "QueueInlinePolicy", "TopicPolicy", "TopicInlinePolicy",
    "RegistryPolicy", "EventBusPolicy",
    "AccessPointPolicy", "FileSystemPolicy", "AWS::KMS::ReplicaKey", "::MODULE",
)  # fmt: skip
#: Arguments that hold policies of resources whose other types are not read.
UNREAD_ARGUMENTS = ("RepositoryPolicyText", "AccessPolicies", "FileSystemPolicy", "AccessPolicy", "PolicyDocument")


def is_unread(kind: str, properties: Json) -> bool:
    """Whether a resource that is not read may change who may do what."""
    return kind.startswith(UNREAD) or kind.endswith(UNREAD_ENDS) or any(name in properties for name in UNREAD_ARGUMENTS)
