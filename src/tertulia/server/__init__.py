"""The shell of the relay: sockets, clock, logs, and the engines that store."""

__all__: list[str] = []
