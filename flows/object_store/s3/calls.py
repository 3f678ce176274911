"""The calls of `flows.object_store.objects` to S3.

boto3 finds the endpoint and the credentials as every AWS tool does (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE, a
role, ...).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from flows.errors import ObjectRefusedError, StorageUnavailableError, StorageUnsupportedError
from flows.object_store.listed import MULTIPART_THRESHOLD, Listed
from flows.object_store.path import ObjectPath
from flows.object_store.s3.connection import ATTEMPTS, client
from flows.object_store.s3.failures import PERMISSIONS, STALE, code_of, translate


@contextmanager
def _calls(place: ObjectPath) -> Iterator[Any]:
    """Yield the client; raise RunError if the store fails, FileNotFoundError if there is no such object."""
    s3 = client()
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield s3
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise translate(place, error) from None


def list_objects(prefix: ObjectPath) -> Iterator[Listed]:
    """Yield the objects below a prefix, sorted by key."""
    with _calls(prefix) as s3:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.below)
        for page in pages:
            for found in page.get("Contents", ()):
                name = found["Key"][len(prefix.below) :]
                yield Listed(name, found["Size"], found["LastModified"], found.get("ETag") or None)


def time_of(prefix: ObjectPath) -> datetime:
    """Return the time of the Date of a response, or of this machine without one."""
    with _calls(prefix) as s3:
        answer = s3.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.below, MaxKeys=1)
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    try:
        return parsedate_to_datetime(told).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime.now(UTC)


def list_folders(prefix: ObjectPath) -> list[str]:
    """Return the names between a prefix and the next slash, sorted."""
    with _calls(prefix) as s3:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.below, Delimiter="/")
        found = [part["Prefix"] for page in pages for part in page.get("CommonPrefixes", ())]
    return sorted(key[len(prefix.below) :].rstrip("/") for key in found)


def read_tagged(place: ObjectPath, max_bytes: int | None = None) -> tuple[bytes, str]:
    """Return the content of an object, or its first bytes, and its ETag."""
    from botocore.exceptions import FlexibleChecksumError

    damaged = False
    with _calls(place) as s3:
        for _ in range(ATTEMPTS):
            answer = s3.get_object(Bucket=place.bucket, Key=place.key)
            size = min(answer["ContentLength"], max_bytes or answer["ContentLength"])
            try:
                with closing(answer["Body"]) as body:  # entering the body itself returns a stream without checks
                    content = _read_some(body, size, answer["ContentLength"])
            except FlexibleChecksumError:
                damaged = True
                continue
            if len(content) == size:
                return content, _tag(place, answer)
    if damaged:
        reason = "its content does not match its checksum"
        raise ObjectRefusedError(f"{place} cannot be read: {reason}. Upload the object again.", reason)
    raise StorageUnavailableError(f"{place} could not be read completely. Check the network, then run again.")


def _tag(place: ObjectPath, answer: Any) -> str:
    if not answer.get("ETag"):
        raise StorageUnsupportedError(
            f"The store of {place} returns no ETag, by which a run sees that another one published. Use a store that"
            " does, such as S3 or MinIO, or a folder."
        )
    return str(answer["ETag"])


def _read_some(body: Any, size: int, length: int) -> bytes:
    """Return `size` of the `length` bytes of a response, or fewer if its connection broke."""
    from botocore.exceptions import HTTPClientError
    from urllib3.exceptions import HTTPError

    try:
        return bytes(body.read() if size == length else body.read(size))  # boto3 checks the checksum at the end only
    except (HTTPClientError, HTTPError):
        return b""


def write(place: ObjectPath, content: bytes) -> None:
    """Put an object."""
    with _calls(place) as s3:
        s3.put_object(Bucket=place.bucket, Key=place.key, Body=content)


def write_if(place: ObjectPath, content: bytes, etag: str | None) -> bool:
    """Put an object if the existing one has the ETag `etag`, None if there is none, and return whether it was put."""
    from botocore.exceptions import ClientError

    condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
    with _calls(place) as s3:
        try:
            s3.put_object(Bucket=place.bucket, Key=place.key, Body=content, **condition)
        except ClientError as error:
            if code_of(error) in STALE:
                return False
            raise
    return True


def download(place: ObjectPath, file: Path, size: int) -> None:
    """Download an object of about `size` bytes into a file."""
    with _calls(place) as s3:
        s3.download_file(place.bucket, place.key, str(file), Config=_transfer(size))


def upload(file: Path, place: ObjectPath, create: bool) -> None:
    """Upload a file; raise FileExistsError if the object exists and `create` is set."""
    size = file.stat().st_size
    if create and size < MULTIPART_THRESHOLD:
        _create(file, place)
        return
    with _calls(place) as s3:
        s3.upload_file(str(file), place.bucket, place.key, Config=_transfer(size))


def _create(file: Path, place: ObjectPath) -> None:
    from botocore.exceptions import ClientError

    with _calls(place) as s3, file.open("rb") as body:
        try:
            s3.put_object(Bucket=place.bucket, Key=place.key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) in STALE:
                raise FileExistsError(None, "The object exists", str(place)) from None
            raise


def _transfer(size: int) -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=MULTIPART_THRESHOLD, use_threads=size >= MULTIPART_THRESHOLD)


def copy(place: ObjectPath, to: ObjectPath) -> None:
    """Copy an object on the server."""
    with _calls(place) as s3:
        s3.copy_object(CopySource={"Bucket": place.bucket, "Key": place.key}, Bucket=to.bucket, Key=to.key)


def begin_upload(place: ObjectPath) -> None:
    """Start a multipart upload, which `abort_uploads` removes."""
    with _calls(place) as s3:
        s3.create_multipart_upload(Bucket=place.bucket, Key=place.key)


def abort_uploads(prefix: ObjectPath) -> None:
    """Remove unfinished multipart uploads below a prefix."""
    with _calls(prefix) as s3:
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=prefix.bucket, Prefix=prefix.below)
        for broken in [found for page in pages for found in page.get("Uploads", ())]:
            s3.abort_multipart_upload(Bucket=prefix.bucket, Key=broken["Key"], UploadId=broken["UploadId"])


def remove_object(place: ObjectPath) -> None:
    """Remove an object, if it exists."""
    with _calls(place) as s3:
        s3.delete_object(Bucket=place.bucket, Key=place.key)


def exists(place: ObjectPath) -> bool:
    """Return whether an object exists."""
    with _calls(place) as s3:
        found = s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=1).get("Contents", ())
    return [entry["Key"] for entry in found] == [place.key]


def permission_to_read(place: ObjectPath) -> str:
    """Return the action of a policy."""
    return PERMISSIONS["GetObject"]
