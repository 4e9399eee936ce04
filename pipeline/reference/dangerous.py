"""Actions that open the widest doors, and why. What is shown of them is in this order."""

DANGEROUS: tuple[tuple[str, str], ...] = (
    ("iam:PassRole", "gives a role's rights to a job or a notebook"),
    ("sagemaker:CreatePresignedNotebookInstanceUrl", "opens a notebook with its role's rights"),
    ("sagemaker:CreatePresignedDomainUrl", "opens Studio as somebody else"),
    ("sagemaker:CreateNotebookInstance", "runs any code with the role that it is given"),
    ("sagemaker:CreateTrainingJob", "runs any container with the role that it is given"),
    ("sagemaker:CreateProcessingJob", "runs any container with the role that it is given"),
    ("sagemaker:UpdateEndpoint", "replaces the model behind an endpoint"),
    ("sagemaker:InvokeEndpoint", "asks a model, and so sees what it knows"),
    ("sagemaker:AddTags", "changes the tags that tag conditions rely on"),
    ("sagemaker:PutModelPackageGroupPolicy", "shares models with other accounts"),
    ("sagemaker:PutResourcePolicy", "shares resources with other accounts"),
    ("sagemaker:DeleteModelPackageGroup", "deletes the registry's entries"),
)
