"""A real server of Azure Blob Storage on loopback: azurite."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.storage.blob import BlobServiceClient, ContainerClient

from tests.conftest import end
from tests.prefect_server import free_port

BUCKET = "newsroom"
ACCOUNT = "devstoreaccount1"
# The account and the key of every azurite: <https://learn.microsoft.com/azure/storage/common/storage-connect-azurite>
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
AZURITE = Path(sys.prefix) / "azurite" / "node_modules" / ".bin" / "azurite-blob"
OPTIONS = ("--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence", "--silent")


class AzureStore:
    """Where the server listens, and a client of Microsoft's for its container."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        self.connection_string = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.url};"
        )
        service = BlobServiceClient.from_connection_string(self.connection_string)
        self.container: ContainerClient = service.create_container(BUCKET)


@contextmanager
def running_azure() -> Iterator[AzureStore]:
    """The server with an empty container, until the end of the block."""
    port = free_port()
    command = [AZURITE, "--blobPort", str(port), *OPTIONS]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout
        assert any("successfully listens" in line for line in process.stdout)
        yield AzureStore(port)
    finally:
        end(process)
