"""Pairing files that are one photo (RAW and JPEG, Live Photos, edits), and finding bursts."""

from photoindex.domain.pairing.bursts import bursts
from photoindex.domain.pairing.explanation import Candidate, PairExplanation, explain
from photoindex.domain.pairing.groups import group
from photoindex.domain.pairing.links import links_in_folder, live_across_folders
from photoindex.domain.pairing.values import Decision, Link, LinkKind, Member, PhotoGroup, Role

__all__ = [
    "Candidate",
    "Decision",
    "Link",
    "LinkKind",
    "Member",
    "PairExplanation",
    "PhotoGroup",
    "Role",
    "bursts",
    "explain",
    "group",
    "links_in_folder",
    "live_across_folders",
]
