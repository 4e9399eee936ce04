"""Runs one function over many shards on a Ray cluster: the same as ``workers`` does in processes of this machine.

Function and shards are those of the local processes. A shard whose worker or machine is lost runs again elsewhere.
"""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

from pipeline import __version__
from pipeline.errors import PolicylakeError, first_line
from pipeline.workers import Pool, Pools, workers

S = TypeVar("S")
R = TypeVar("R")

#: Shards that a processor of the cluster has before it, the one at work included.
AHEAD = 2
#: How often a shard runs again whose worker was lost.
RETRIES = 5
#: A build that may have no more than one worker does without others.
SEVERAL = 2
LOCAL = {"include_dashboard": False}
#: Seconds for the head of a cluster to take a connection; Ray itself would wait for minutes.
PATIENCE = 5
INSTALL = 'install it on every machine of the cluster: pip install "policylake[ray]"'
SAME = f"every machine of the cluster needs policylake {__version__}, and Python and Ray of the same versions as here"


class Cluster:
    """Processors of a Ray cluster to work in. A shard may run twice."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self.count = max(SEVERAL, int(ray.cluster_resources().get("CPU", 1)))

    def map(self, function: Callable[[S], R], shards: Iterable[S]) -> Iterator[R]:
        """Yield the result of each shard, in their order. What a partial function holds is sent once, not with each.

        Raises what ``function`` raises of the first shard that fails, and PolicylakeError where the cluster does.
        """
        given, own = (function.args, function.func) if isinstance(function, partial) else ((), function)
        held = [self._ray.put(value) for value in given]
        task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(_run)
        begun: deque[Any] = deque()
        unbegun = iter(shards)
        try:
            for shard in unbegun:
                begun.append(task.remote(__version__, own, shard, *held))
                if len(begun) >= AHEAD * self.count:
                    yield self._result(begun.popleft())
            while begun:
                yield self._result(begun.popleft())
        finally:
            for left in begun:
                self._ray.cancel(left, force=True)

    def _result(self, task: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Exception) and not isinstance(cause, errors.RayError):
                raise cause from error
            raise PolicylakeError(f"a shard failed on the cluster ({first_line(cause or error)}); {SAME}") from error
        except errors.RayError as error:
            what = f"the cluster lost a shard {RETRIES + 1} times ({first_line(error)})"
            raise PolicylakeError(f"{what}; look at its logs, or give --engine local") from error


@contextmanager
def cluster(address: str | None) -> Iterator[Pools]:
    """Yield what gives the cluster at ``address`` to a build; without an address that of RAY_ADDRESS or one made here.

    Raises PolicylakeError where Ray is not installed or the cluster cannot be reached.
    """
    ray = _ray()
    if address is not None:
        _reach(address)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, **({} if address else LOCAL))
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        place = f"--address {address}" if address else "--engine ray"
        what = f"{place}: no cluster ({first_line(error)})"
        raise PolicylakeError(f"{what}; check the address, or leave it out") from error
    try:
        found = Cluster(ray)

        def pools(count: int) -> AbstractContextManager[Pool]:
            return nullcontext(found) if count > 1 else workers(count)

        yield pools
    finally:
        ray.shutdown()


def _ray() -> Any:
    # Ray would tell its makers how it is used, and print failures that are told here in words.
    for name, value in (("RAY_USAGE_STATS_ENABLED", "0"), ("RAY_IGNORE_UNHANDLED_ERRORS", "1")):
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise PolicylakeError(f"--engine ray: Ray is not installed; {INSTALL}") from error
    return ray


def _reach(address: str) -> None:
    """Raise PolicylakeError unless the machine of an address takes connections; ``auto`` is for Ray to find."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if address == "auto":
        return
    if not colon or not port.isdigit():
        raise PolicylakeError(f"--address {address}: no address of a cluster; give HOST:PORT, ray://HOST:PORT or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        what = getattr(error, "strerror", None) or error
        remedy = "check the address, and that the cluster runs: ray status"
        raise PolicylakeError(f"--address {address}: cannot be reached ({what}); {remedy}") from error


def _run(version: str, function: Callable[..., Any], shard: Any, *given: Any) -> Any:
    """Run one shard, in a worker of the cluster."""
    if version != __version__:
        raise PolicylakeError(f"a machine of the cluster has policylake {__version__}, this one {version}; {SAME}")
    return function(*given, shard)
