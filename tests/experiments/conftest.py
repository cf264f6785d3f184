"""What several tests of the room share."""

from tests.worlds.known_effect import known

__all__ = ["known"]
