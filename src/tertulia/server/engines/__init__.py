"""What the relay stores its rooms in; all answer the same port."""

from tertulia.server.engines.memory import MemoryEngine

__all__ = ["MemoryEngine"]
