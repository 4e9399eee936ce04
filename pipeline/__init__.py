"""policylake: who can do what with SageMaker, on which resources, under which conditions, and how do you know."""

__version__ = "0.1.0"
