"""Sorts actions into the tasks that teams speak of. A reading aid: no verdict depends on it."""

#: Task, and words of which one stands in the names of its actions. The first that fits counts.
TASKS: tuple[tuple[str, str], ...] = (
    ("Invoke", "InvokeEndpoint Sample CallMlflow CallPartner CallWith SendConversation"),
    (
        "Roles and sharing",
        "PassRole ResourcePolicy GroupPolicy AuthorizeVpce AddTags DeleteTags ListTags TagResource "
        "SharedModel Servicecatalog CreateTags",
    ),
    ("Label", "Labeling Workteam Workforce HumanLoop HumanTask FlowDefinition RenderUi groundtruth"),
    (
        "Train",
        "Training HyperParameter AutoML Compilation ProcessingJob TrainHub Reward BatchGetMetrics "
        "BatchPutMetrics OptimizationJob ReservedCapacity UltraServer Algorithm AIWorkload",
    ),
    (
        "Deploy",
        "Endpoint InferenceComponent Inference Transform DeployHub Edge Device Deployments "
        "ScalingConfiguration AIBenchmark AIRecommendation Monitoring JobDefinition",
    ),
    (
        "Notebooks and Studio",
        "Notebook Domain UserProfile Space App StudioLifecycle Image CodeRepository StartSession SageMakerDataScience",
    ),
    ("Clusters", "Cluster ComputeQuota"),
    ("Experiments and lineage", "Experiment Trial Lineage Artifact Context Association Mlflow mlflow Run Action"),
    ("Models and registry", "Model Hub"),
    ("Features and data", "Feature Record geospatial EarthObservation Raster"),
    ("Pipelines and projects", "Pipeline Project"),
)
OTHER = "Other"


def task(action: str) -> str:
    """Return the task of an action."""
    return next((name for name, words in TASKS if any(word in action for word in words.split())), OTHER)
