"""A flow that does nothing: what a run costs without its work. It imports nothing but Prefect."""

from prefect import flow


@flow(persist_result=False)
def empty() -> None:
    """Do nothing."""
