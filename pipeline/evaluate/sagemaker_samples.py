"""Example values of SageMaker's condition keys, such as its API takes them. Data alone; sample_values.py uses it."""

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
#: Ends of the ids of subnets, VPCs and the like, and the id of a KMS key.
IDS = ("0a1b2c3d4e5f67890", "0f9e8d7c6b5a43210")
KMS_KEY_IDS = ("1234abcd-12ab-34cd-56ef-1234567890ab", "0987dcba-09fe-87dc-65ba-ab0987654321")

#: Sizes of families of instance types (Amazon SageMaker AI pricing), the most usual family first.
_SIZES = {
    "m5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "t3": "medium large xlarge 2xlarge",
    "p4d": "24xlarge",
    "c5": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge large",
    "g5": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "g6": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "p3": "2xlarge 8xlarge 16xlarge",
    "p3dn": "24xlarge",
    "p4de": "24xlarge",
    "p5": "48xlarge",
    "p2": "xlarge 8xlarge 16xlarge",
    "r5": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
    "r5d": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
    "m5d": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
    "m6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "m7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "c6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "c7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "c5d": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c5n": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "t2": "medium large xlarge 2xlarge",
    "m4": "xlarge 2xlarge 4xlarge 10xlarge 16xlarge",
    "c4": "xlarge 2xlarge 4xlarge 8xlarge",
    "inf1": "xlarge 2xlarge 6xlarge 24xlarge",
    "inf2": "xlarge 8xlarge 24xlarge 48xlarge",
    "trn1": "2xlarge 32xlarge",
    "trn1n": "32xlarge",
}
_USUAL = ("ml.m5.large", "ml.p4d.24xlarge")
_ALL = (f"ml.{family}.{size}" for family, sizes in _SIZES.items() for size in sizes.split())
INSTANCE_TYPES = tuple(dict.fromkeys((*_USUAL, *_ALL)))


def _arns(tail: str, other: str) -> tuple[str, str]:
    return (
        f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{tail}/example",
        f"arn:aws:sagemaker:us-east-1:{OTHER_ACCOUNT}:{tail}/{other}",
    )


#: Values of keys in lower case, each with others that differ.
VALUES: dict[str, tuple[str, ...]] = {
    "sagemaker:instancetypes": INSTANCE_TYPES,
    "sagemaker:acceleratortypes": ("ml.eia2.medium", "ml.eia2.large", "ml.eia2.xlarge"),
    "sagemaker:vpcsubnets": tuple(f"subnet-{end}" for end in IDS),
    "sagemaker:vpcsecuritygroupids": tuple(f"sg-{end}" for end in IDS),
    "sagemaker:appnetworkaccesstype": ("VpcOnly", "PublicInternetOnly"),
    "sagemaker:authmode": ("IAM", "SSO"),
    "sagemaker:directgatedmodelaccess": ("Enabled", "Disabled"),
    "sagemaker:directinternetaccess": ("Enabled", "Disabled"),
    "sagemaker:rootaccess": ("Enabled", "Disabled"),
    "sagemaker:remoteaccess": ("ENABLED", "DISABLED"),
    "sagemaker:domainid": ("d-abcdefghij12", "d-zyxwvutsrq98"),
    "sagemaker:featuregroupofflinestores3uri": ("s3://amzn-s3-demo-bucket/features", "s3://amzn-s3-demo-bucket1/other"),
    "sagemaker:filesystemaccessmode": ("ro", "rw"),
    "sagemaker:filesystemdirectorypath": ("/fsx/data", "/data"),
    "sagemaker:filesystemid": tuple(f"fs-{end}" for end in IDS),
    "sagemaker:filesystemtype": ("EFS", "FSxLustre"),
    "sagemaker:imagearns": _arns("image", "other"),
    "sagemaker:imageversionarns": tuple(f"{arn}/1" for arn in _arns("image-version", "other")),
    "sagemaker:minimuminstancemetadataserviceversion": ("2", "1"),
    "sagemaker:modelapprovalstatus": ("Approved", "Rejected", "PendingManualApproval"),
    "sagemaker:modelarn": _arns("model", "other"),
    "sagemaker:notebookinstancelifecycleconfigarns": _arns("notebook-instance-lifecycle-config", "other"),
    "sagemaker:studiolifecycleconfigarns": _arns("studio-lifecycle-config", "other"),
    "sagemaker:owneruserprofilearn": _arns("user-profile/d-abcdefghij12", "other"),
    "sagemaker:spacesharingtype": ("Private", "Shared"),
    "sagemaker:taggingaction": ("CreateTrainingJob", "CreateModel"),
    "sagemaker:targetmodel": ("model.tar.gz", "other.tar.gz"),
    "sagemaker:userprofilename": ("alice", "bob"),
    "sagemaker:workteamarn": _arns("workteam/private-crowd", "other"),
    "sagemaker:workteamtype": ("private-crowd", "vendor-crowd", "public-crowd"),
}
