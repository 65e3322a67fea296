"""What makes several processes on this machine the workers of one training."""

import json
import socket


def free_addresses(count: int) -> list[str]:
    """Addresses on this machine that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def environment_of(number: int, addresses: list[str]) -> dict[str, str]:
    """The environment of worker ``number``, which runs one operation at a time, in one thread."""
    task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
    pools = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    one_thread = dict.fromkeys(pools, "1")
    return {"TF_CONFIG": json.dumps(task), **one_thread}
