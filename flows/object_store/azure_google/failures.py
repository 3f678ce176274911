"""Translate errors of obstore into exceptions with a sentence for the operator.

Kinds of errors are few in obstore, but its text contains the response of the store, with the store's error code:
<https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>,
<https://cloud.google.com/storage/docs/xml-api/reference-status>
"""

import re

from flows.errors import (
    ObjectRefusedError,
    StorageRefusedError,
    StorageUnavailableError,
    StorageUnsupportedError,
)
from flows.object_store.azure_google.connection import NAMES, remedy
from flows.object_store.path import ObjectPath

# What the store grants for everything that a run does.
ROLES = {"az": "Storage Blob Data Contributor on the container", "gs": "roles/storage.objectUser on the bucket"}
_STALE = ("BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet", "PreconditionFailed", "412")
_NO_BUCKET = ("ContainerNotFound", "NoSuchBucket")
_ARCHIVED = ("BlobArchived", "BlobBeingRehydrated")
_CREDENTIALS = (
    "401", "AuthenticationFailed", "AuthenticationRequired", "InvalidAuthenticationInfo", "InvalidSecurity",
    "NoAuthenticationInformation", "SignatureDoesNotMatch", "ExpiredToken",
)  # fmt: skip
_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_METHOD = re.compile(r"Error performing ([A-Z]+) ")
_INVALID_KEY = re.compile(r'[Pp]ath "(.*?)"', re.DOTALL)
_CAUSE = re.compile(r'message: "(.*?)"')
_DETAILS = "\n\nDebug source:"  # where the source of an error in Rust begins


def translate(place: ObjectPath, error: Exception) -> Exception:
    """Return the exception for an error of obstore: a RunError, or FileNotFoundError if there is no such object."""
    code = code_of(error)
    if code in _NO_BUCKET:
        return StorageRefusedError(
            f"Bucket not found: {place.bucket}. Create it, or pass another with --source or --warehouse."
        )
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(None, "No such object", str(place))
    if "rror performing token request" in str(error) or code in _CREDENTIALS:
        return StorageRefusedError(
            f"The store of {place} does not accept the credentials ({_reason(error)})."
            f" Set or correct the credentials of {NAMES[place.scheme]} in the environment."
        )
    if _status(error) == "403" or code in _ARCHIVED:
        return _refused(place, error, code)
    return _unusable(place, error)


def _refused(place: ObjectPath, error: Exception, code: str) -> Exception:
    call = _first(_METHOD, error)
    if code in _ARCHIVED:
        reason = f"it is archived ({code})"
        return ObjectRefusedError(f"The object {place} is archived ({code}). Restore it from the archive.", reason)
    text = f"The store refuses {call} on {place} ({code}). Grant these credentials {ROLES[place.scheme]}."
    is_list = "list request" in str(error)
    return (
        ObjectRefusedError(text, f"the store refuses it ({code})")
        if call in ("GET", "HEAD") and not is_list
        else StorageRefusedError(text)
    )


def _unusable(place: ObjectPath, error: Exception) -> Exception:
    if key := _first(_INVALID_KEY, error):
        return StorageUnsupportedError(
            f"{place.scheme}://{place.bucket} contains an object whose name has an empty part, a part . or .., or a"
            f" control character, so it cannot be listed: {key!r}. Rename or remove the object."
        )
    if not _status(error):
        return StorageUnavailableError(
            f"The store of {place} does not answer ({_reason(error)}). Check the network, the proxy variables and the"
            f" endpoint, then run again."
        )
    return StorageUnavailableError(
        f"{place} cannot be used ({_reason(error)}). {remedy(place.scheme, str(error))[:-1]}, then run again."
    )


def is_stale(error: Exception) -> bool:
    """Return whether the store has refused a put since another object exists than its condition names."""
    return code_of(error) in _STALE


def code_of(error: Exception) -> str:
    """Return the store's error code, or the status of its response, empty if there was none."""
    return _first(_CODE, error) or _status(error)


def _status(error: Exception) -> str:
    return _first(_STATUS, error)


def _first(pattern: re.Pattern[str], error: Exception) -> str:
    found = pattern.search(str(error).partition(_DETAILS)[0])
    return found[1] if found else ""


def _reason(error: Exception) -> str:
    """Return the store's code, or what happened to the connection."""
    if code := code_of(error):
        return code
    sentence, _, details = str(error).partition(_DETAILS)
    causes = _CAUSE.findall(details)
    return ": ".join((sentence.strip().splitlines()[0].rpartition(" - ")[2], *causes[-1:]))
