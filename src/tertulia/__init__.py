"""Group chat that one person starts and others enter with one link."""

__version__ = "0.1.0"
