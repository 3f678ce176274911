"""Translate errors of S3 into exceptions with a sentence for the operator."""

from typing import Any

from flows.errors import (
    ClockError,
    ObjectRefusedError,
    StorageRefusedError,
    StorageUnavailableError,
    StorageUnsupportedError,
    first_line,
)
from flows.object_store.path import ObjectPath

GONE = ("NoSuchKey", "404")
STALE = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409", *GONE)
# The permission that a call needs, by the name that the store gives the call.
PERMISSIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
_FORBIDDEN = ("AccessDenied", "403")
_READS = ("GetObject", "HeadObject")
_ARCHIVED = ("InvalidObjectState",)
_UNSUPPORTED = ("NotImplemented", "MethodNotAllowed", "501", "405")
_REGIONS = ("AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException", "301")
_CLOCK = ("RequestTimeTooSkewed", "RequestExpired")
_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired")


def translate(place: ObjectPath, error: Exception) -> Exception:
    """Return the exception for an error of boto3: a RunError, or FileNotFoundError if there is no such object."""
    from botocore import exceptions as of

    if isinstance(error, of.ClientError):
        return _answered(place, error)
    if isinstance(error, of.ConnectionError | of.HTTPClientError):
        return StorageUnavailableError(
            f"The store of {place} does not answer ({first_line(error)})."
            " Check AWS_ENDPOINT_URL, the proxy variables and the network, then run again."
        )
    if isinstance(error, of.NoCredentialsError | of.PartialCredentialsError | of.CredentialRetrievalError):
        return StorageRefusedError(
            f"No credentials found for {place} ({first_line(error)})."
            " Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    return _unusable(place, error)


def _answered(place: ObjectPath, error: Any) -> Exception:
    """Return the exception for an error response of the store."""
    code, call = code_of(error), error.operation_name
    if code == "NoSuchKey" or (code == "404" and call == "HeadObject"):  # whose answer has no body to say more
        return FileNotFoundError(None, "No such object", str(place))
    if code == "NoSuchBucket":
        return StorageRefusedError(
            f"Bucket not found: {place.bucket}. Create it, or pass another with --source or --warehouse."
        )
    if call in _READS and (code in (*_FORBIDDEN, *_ARCHIVED) or code.startswith("KMS.")):
        return ObjectRefusedError(*_refused_object(place, code))
    if code in _UNSUPPORTED:
        return StorageUnsupportedError(
            f"The store of {place} does not support {call} as it was called ({code})."
            " Use a store with conditional puts, copies and multipart uploads, such as S3 or MinIO."
        )
    if code in _CLOCK:
        return ClockError(f"The store of {place} refuses the clock of this machine. Set the clock, then run again.")
    remedy = _remedy(code, call)
    return (
        StorageRefusedError(f"The store refuses {call} on {place} ({code}). {remedy}")
        if remedy
        else _unusable(place, error)
    )


def _refused_object(place: ObjectPath, code: str) -> tuple[str, str]:
    """Return the sentence about an object that cannot be read, and the reason alone."""
    if code in _ARCHIVED:
        return f"The object {place} is archived ({code}). Restore it from the archive.", f"it is archived ({code})"
    return (
        f"The store refuses to return {place} ({code}). Grant these credentials {PERMISSIONS['GetObject']}, and"
        f" {PERMISSIONS['ListObjectsV2']} on the bucket; without the second one a missing object is refused, too.",
        f"the store refuses it ({code})",
    )


def _remedy(code: str, call: str) -> str:
    """Return what to do about a refusal, empty for any other response."""
    if code in _FORBIDDEN:
        return f"Grant these credentials {PERMISSIONS.get(call, call)}."
    if code in _CREDENTIALS:
        return "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    return "Set AWS_REGION to the region of the bucket." if code in _REGIONS else ""


def _unusable(place: ObjectPath, error: Exception) -> StorageUnavailableError:
    text = " ".join(str(error).split())  # the first line of botocore's lists of faults says nothing
    return StorageUnavailableError(f"{place} cannot be used ({text}). Correct that, then run again.")


def code_of(error: Any) -> str:
    """Return the store's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))
