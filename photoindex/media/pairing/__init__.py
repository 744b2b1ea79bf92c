"""What is one photo: RAW and JPEG, Live Photos, edits, bursts, and what a person decides."""

from photoindex.media.pairing.values import Decision, Group, Link, LinkKind, Member, Role

__all__ = ["Decision", "Group", "Link", "LinkKind", "Member", "Role"]
