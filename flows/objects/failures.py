"""The failures of an object store, in words."""

from typing import Any

from flows.errors import ClockError, StorageRefusedError, StorageUnavailableError, first_line
from flows.objects.prefix import Prefix

GONE = ("NoSuchKey", "404")
STALE = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409", *GONE)
_REFUSED = ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


def in_words(place: Prefix, error: Exception) -> Exception:
    """What a failure of boto3 is raised as: RunError, or FileNotFoundError where there is no such object."""
    from botocore import exceptions as of

    if isinstance(error, of.ClientError):
        return _answered(place, error)
    if isinstance(error, of.ConnectionError | of.HTTPClientError):
        return StorageUnavailableError(
            f"The store of {place} does not answer ({first_line(error)}); see that AWS_ENDPOINT_URL and the network are"
            " right, then run again."
        )
    if isinstance(error, of.NoCredentialsError | of.PartialCredentialsError | of.CredentialRetrievalError):
        return StorageRefusedError(
            f"There are no credentials for {place} ({first_line(error)}); set AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    return StorageUnavailableError(f"{place} cannot be used ({first_line(error)}); correct that, then run again.")


def _answered(place: Prefix, error: Exception) -> Exception:
    """What an answer of the store that is not OK is raised as."""
    code = code_of(error)
    if code in GONE:
        return FileNotFoundError(None, "No such object", str(place))
    if code == "NoSuchBucket":
        return StorageRefusedError(f"There is no bucket {place.bucket}; make it, or name another one.")
    if code == "RequestTimeTooSkewed":
        return ClockError(f"The store of {place} refuses the clock of this machine. Set the clock, then run again.")
    if code in _REFUSED:
        return StorageRefusedError(f"The store refuses {place} ({code}); see what the AWS credentials may do there.")
    return StorageUnavailableError(f"{place} cannot be used ({first_line(error)}); correct that, then run again.")


def code_of(error: Any) -> str:
    """The store's own name of a failure."""
    return str(error.response.get("Error", {}).get("Code", ""))
