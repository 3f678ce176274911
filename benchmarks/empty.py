"""A flow that does nothing, to measure the cost of Prefect itself."""

from prefect import flow


@flow(persist_result=False)
def empty() -> None:
    """Do nothing."""
