"""Clusters in a sparse graph of neighbours: HDBSCAN (Campello, Moulavi and Sander, 2013) on mutual reachability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import WAITING, Found

LEAST_FACES = 2
"""Faces of the smallest group."""
_NEAREST = 1e-6
"""The distance of equal vectors: the sparse matrices of SciPy have no entries of 0."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Pairs of vectors, each once: first < second int64 [n], positions; distances float32 [n], 1 - cosine, above 0."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distances: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of edges."""
        return len(self.first)

    def some(self, chosen: NDArray[np.bool_]) -> Edges:
        """Return the edges of a mask."""
        return Edges(self.first[chosen], self.second[chosen], self.distances[chosen])


def edges_of(found: Found, possible: float) -> Edges:
    """Return the edges between neighbours with at least the cosine `possible`."""
    others, cosines = found
    row, column = np.nonzero((others >= 0) & (cosines >= possible))
    return unique_edges(row, others[row, column], 1 - cosines[row, column])


def unique_edges(one: NDArray[np.int64], other: NDArray[np.int64], distances: NDArray[np.float32]) -> Edges:
    """Return these pairs, each once with its smallest distance, sorted, without pairs of a vector with itself."""
    first, second = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((distances, second, first))
    order = order[first[order] < second[order]]
    first, second = first[order], second[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(first) != 0) | (np.diff(second) != 0)
    nearest = np.maximum(distances[order][fresh], _NEAREST).astype(np.float32)
    return Edges(first[fresh].astype(np.int64), second[fresh].astype(np.int64), nearest)


def joined(*parts: Edges) -> Edges:
    """Return the edges of all parts, each pair once with its smallest distance."""
    return unique_edges(
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.second for part in parts]),
        np.concatenate([part.distances for part in parts]),
    )


def clusters(count: int, edges: Edges, *, possible: float, sure: float) -> NDArray[np.int32]:
    """Return the cluster of each of `count` vectors, int32 [count], WAITING for noise.

    possible: edges of a lower cosine do not exist; a cluster is born there at the earliest. sure: vectors with such a
    cosine are in one cluster, however dense the parts are of which it consists (Malzer and Baum, 2020).
    """
    labels = np.full(count, WAITING, np.int32)
    if not len(edges):
        return labels
    parts = _parts(count, edges)
    members = np.flatnonzero(np.bincount(parts)[parts] >= LEAST_FACES)
    place = np.full(count, -1, np.int64)
    place[members] = np.arange(len(members))
    inside = Edges(place[edges.first], place[edges.second], edges.distances)
    _, starts = np.unique(parts[members], return_index=True)
    labels[members] = _hdbscan(len(members), inside, starts, possible)
    return _united(labels, edges.some(edges.distances <= 1 - sure))


def _parts(count: int, edges: Edges) -> NDArray[np.int32]:
    """Return the connected part of each vector."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((edges.distances, (edges.first, edges.second)), shape=(count, count)).tocsr()
    parts: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return parts


def _united(labels: NDArray[np.int32], edges: Edges) -> NDArray[np.int32]:
    """Return clusters after those with an edge between them became one.

    `cluster_selection_epsilon` of scikit-learn is for this, and fails with NumPy 2.4. Shorter distances must not be made
    equal instead: clusters would live so short that the union of two people who are a little alike is chosen.
    """
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] != WAITING]
    same = np.diff(labels[order]) == 0
    first = np.concatenate([edges.first, order[:-1][same]])
    second = np.concatenate([edges.second, order[1:][same]])
    if not len(first):
        return labels
    parts = _parts(len(labels), Edges(first, second, np.ones(len(first), np.float32)))
    return np.where(np.bincount(parts)[parts] >= LEAST_FACES, parts, np.int32(WAITING))


def _hdbscan(count: int, edges: Edges, starts: NDArray[np.int64], possible: float) -> NDArray[np.int32]:
    """Return the labels of vectors that all have edges; starts: one vector of each connected part.

    HDBSCAN wants one connected graph, and never takes the whole of it for a cluster. So a cluster that stands for
    nothing is added, and all parts are linked with it, at the distance where clusters are born.
    """
    from scipy.sparse import coo_array
    from sklearn.cluster import HDBSCAN

    added = np.arange(count, count + LEAST_FACES)
    first = np.concatenate([edges.first, starts, added[:-1]])
    second = np.concatenate([edges.second, np.full(len(starts), count), added[1:]])
    born = max(1 - possible, float(edges.distances.max()))
    distances = np.concatenate([edges.distances, np.full(len(starts), born), np.full(len(added) - 1, _NEAREST)])
    distances = distances.astype(np.float64)
    size = count + LEAST_FACES
    graph = coo_array(
        (np.tile(distances, 2), (np.concatenate([first, second]), np.concatenate([second, first]))), shape=(size, size)
    ).tocsr()
    # With min_samples=1 the distances are taken as they are: they are the mutual reachability already.
    model = HDBSCAN(
        min_cluster_size=LEAST_FACES,
        min_samples=1,
        metric="precomputed",
        copy=False,
    )
    labels: NDArray[np.int32] = model.fit(graph).labels_[:count].astype(np.int32)
    return labels
