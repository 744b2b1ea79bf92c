"""How right groups are: B-cubed precision and recall (Bagga and Baldwin, 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bcubed(truth: NDArray[np.integer], labels: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall of each item; one with a negative label is alone in its group."""
    groups = labels.astype(np.int64)
    alone = groups < 0
    groups[alone] = groups.max(initial=-1) + 1 + np.arange(np.count_nonzero(alone))
    _pairs, which, together = np.unique(
        np.stack([truth, groups], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    of_truth = np.unique(truth, return_inverse=True, return_counts=True)
    of_groups = np.unique(groups, return_inverse=True, return_counts=True)
    both = together[which.reshape(-1)].astype(np.float64)
    return both / of_groups[2][of_groups[1]], both / of_truth[2][of_truth[1]]
