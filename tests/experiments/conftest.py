"""What several tests of the room share."""

from known_effect import known

__all__ = ["known"]
