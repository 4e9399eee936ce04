"""A made-up S3 on this machine, for tests: moto's server."""

from contextlib import contextmanager

import pytest


@contextmanager
def store():
    """Yield the endpoint of a made-up S3 with the bucket ``bucket``."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed: make setup-cluster")
    from pyarrow.fs import S3FileSystem

    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"scheme": "http", "endpoint_override": f"{host}:{port}", "access_key": "any", "secret_key": "any"}
    S3FileSystem(allow_bucket_creation=True, region="us-east-1", **options).create_dir("bucket")
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def environment(endpoint):
    """The variables of somebody who may use it."""
    credentials = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**credentials, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": endpoint}
