"""Sorts actions into the tasks that teams speak of. A reading aid: no verdict depends on it."""

#: Task, and words of which one stands in its actions, written as in policies. The first that fits counts.
TASKS: tuple[tuple[str, str], ...] = (
    ("Pass roles", "PassRole"),
    ("Invoke", "InvokeEndpoint :Sample CallMlflow CallPartner CallWith SendConversation"),
    (
        "Administer",
        "ResourcePolicy GroupPolicy AuthorizeVpce AddTags DeleteTags ListTags :TagResource UntagResource SharedModel "
        "Servicecatalog CreateTags Cluster ComputeQuota ReservedCapacity UltraServer ResourceCatalogs",
    ),
    ("Label", "Labeling Workteam Workforce HumanLoop HumanTask FlowDefinition RenderUi groundtruth"),
    ("Tune", "HyperParameter AutoML OptimizationJob Reward Candidates"),
    ("Process", "ProcessingJob geospatial EarthObservation Raster"),
    ("Train", "Training CompilationJob TrainHub BatchGetMetrics BatchPutMetrics Algorithm AIWorkload"),
    (
        "Deploy",
        "Endpoint InferenceComponent Inference Transform DeployHub Edge Device Deployments ScalingConfiguration "
        "AIBenchmark AIRecommendation Monitoring JobDefinition",
    ),
    (
        "Notebooks and Studio",
        "Notebook Domain UserProfile Space AppImage MlflowApp PartnerApp App: :CreateApp :DeleteApp :DescribeApp "
        ":ListApps StudioLifecycle Image CodeRepositor StartSession data-science-assistant",
    ),
    ("Experiments and lineage", "Experiment Trial Lineage Artifact Context Association Mlflow mlflow Run Action"),
    ("Registry", "Model Hub"),
    ("Features", "Feature Record"),
    ("Pipelines", "Pipeline Project"),
)
OTHER = "Other"


def task(action: str) -> str:
    """Return the task of an action."""
    return next((name for name, words in TASKS if any(word in action for word in words.split())), OTHER)
