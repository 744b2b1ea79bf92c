"""What is one photo: RAW and JPEG, Live Photos, edits, bursts, and what a person decides."""

from photoindex.media.pairing.burst import bursts
from photoindex.media.pairing.explanation import Candidate, Explanation, explain
from photoindex.media.pairing.groups import group
from photoindex.media.pairing.links import links_in_folder, live_across_folders
from photoindex.media.pairing.values import Decision, Group, Link, LinkKind, Member, Role

__all__ = [
    "Candidate",
    "Decision",
    "Explanation",
    "Group",
    "Link",
    "LinkKind",
    "Member",
    "Role",
    "bursts",
    "explain",
    "group",
    "links_in_folder",
    "live_across_folders",
]
