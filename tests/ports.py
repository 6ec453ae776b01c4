"""Loopback ports for programs whose listening port is configurable."""

from sandbox.network.sockets import reserve


def free_port() -> int:
    """A port that belongs to the caller for as long as this process lives.

    It stays bound and never listens. So the kernel gives it to no other socket of any process, while a program
    that sets SO_REUSEADDR can listen on it: nginx does, and so does every Go program, Docker among them. Until one
    listens there, connections to it are refused.
    """
    held = reserve()
    port: int = held.getsockname()[1]
    held.detach()
    return port
