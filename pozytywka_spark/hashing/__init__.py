"""Stated hashes, the same in every engine and release: identities, buckets, dice, digests."""
