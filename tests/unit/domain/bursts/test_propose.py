"""Which frames are proposed, and with which words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photoindex.domain.bursts.propose import FIXED_WEIGHTS, own_choice, propose, scenes
from photoindex.domain.bursts.teacher import LEAST_FRAMES, Weights, learn
from photoindex.domain.bursts.values import CHOSEN, FAVOURITE, Choice, Face, FaceMeasures, Frame, Measures

_PICTURES = np.linalg.qr(np.random.default_rng(0).standard_normal((256, 8)))[0].T.astype(np.float32)


def measures(sharpness: float = 4.0, *, bright: float = 0.0, faces: int = 0, scene: int = 0) -> Measures:
    found = tuple(FaceMeasures(Face(0.2 * number, 0.2, 0.1, 0.1), 4.0, None) for number in range(faces))
    return Measures(sharpness, found, bright, 0.0, _PICTURES[scene])


def burst(*found: Measures | None, stars: dict[int, int] | None = None) -> list[Frame]:
    return [Frame(number, one, (stars or {}).get(number, 0)) for number, one in enumerate(found, 1)]


def best(frames: list[Frame]) -> list[int]:
    return [one.photo_id for one in propose(frames) if one.choice is Choice.BEST]


def test_the_sharpest_frame_is_proposed_and_each_frame_has_its_reason() -> None:
    judged = propose(burst(measures(2.0), measures(4.0), measures(3.9)))
    assert [one.choice for one in judged] == [Choice.OTHER, Choice.BEST, Choice.OTHER]
    assert [one.reason for one in judged] == [
        "it has 50 % of the best sharpness", "sharper than 1 of 2", "close to the best",
    ]  # fmt: skip


def test_frames_that_nothing_tells_apart_are_said_to_be_alike() -> None:
    judged = propose(burst(measures(), measures(), measures()))
    assert judged[0].reason == "nothing sets the frames apart; it is as good as any"


def test_a_sharp_face_counts_more_than_a_sharp_background() -> None:
    behind, soft_face = measures(4.0, faces=1), measures(4.0, faces=1)
    soft_face = replace(soft_face, faces=(replace(soft_face.faces[0], sharpness=1.0),))
    behind = replace(behind, sharpness=2.0)
    judged = propose(burst(soft_face, behind))
    assert [one.choice for one in judged] == [Choice.OTHER, Choice.BEST]
    assert judged[0].reason == "faces have 25 % of the best sharpness"
    assert judged[1].reason == "faces sharper than in 1 of 1"


def test_a_frame_without_one_of_the_faces_is_worse() -> None:
    judged = propose(burst(measures(faces=1), measures(faces=2), measures(faces=2)))
    assert [one.choice for one in judged] == [Choice.OTHER, Choice.BEST, Choice.OTHER]
    assert judged[0].reason == "1 of 2 faces found"


def test_lights_without_detail_are_worse() -> None:
    judged = propose(burst(measures(bright=0.3), measures(bright=0.01), measures(bright=0.02)))
    assert best(burst(measures(bright=0.3), measures(bright=0.01), measures(bright=0.02))) == [2]
    assert judged[0].reason == "30 % of it is white without detail"


@pytest.mark.parametrize(
    ("stars", "expected", "reason"),
    [
        ({1: 4, 2: 2}, [1], "you gave it 4 stars"),
        ({1: 5, 3: FAVOURITE}, [3], "your favourite"),
        ({1: CHOSEN, 3: CHOSEN}, [1, 3], "you chose it"),
        ({1: 1}, [1], "you gave it 1 star"),
    ],
)
def test_what_the_user_prefers_is_the_proposal(stars: dict[int, int], expected: list[int], reason: str) -> None:
    frames = burst(measures(1.0), measures(4.0), measures(2.0), stars=stars)
    assert best(frames) == expected
    assert propose(frames)[expected[0] - 1].reason == reason


def test_equal_stars_prefer_nothing_and_a_rejected_frame_is_never_proposed() -> None:
    assert best(burst(measures(1.0), measures(4.0), stars={1: 3, 2: 3})) == [2]
    frames = burst(measures(1.0), measures(4.0), stars={2: -1})
    assert best(frames) == [1]
    assert propose(frames)[1].reason == "you rejected it"
    assert best(burst(measures(), measures(), stars={1: -1, 2: -1})) == []
    assert own_choice(frames) == set()


def test_a_frame_without_a_preview_is_not_judged_unless_the_user_chose_it() -> None:
    judged = propose(burst(None, measures()))
    assert (judged[0].choice, judged[0].score) == (Choice.UNKNOWN, None)
    assert best(burst(None, measures(), stars={1: 5})) == [1]


def test_a_long_burst_has_a_best_frame_of_each_scene() -> None:
    frames = burst(*(measures(4.0 if number == 1 else 3.0, scene=scene) for scene in (0, 1) for number in range(4)))
    assert best(frames) == [2, 6]
    assert [len(one) for one in scenes(frames)] == [4, 4]
    assert {one.scene for one in propose(frames)} == {1, 2}


def test_one_odd_frame_and_short_bursts_are_no_scenes_of_their_own() -> None:
    assert len(scenes(burst(*(measures(scene=int(number == 3)) for number in range(8))))) == 1
    assert len(scenes(burst(*(measures(scene=number) for number in range(5))))) == 1


def rated(bursts: int, *, by_exposure: bool, seed: int = 0) -> list[list[Frame]]:
    """Return bursts whose user gives stars to the sharpest of three frames, or to the one with most detail in its lights."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(bursts):
        sharpness, bright = random.uniform(1.5, 4.0, 3), random.uniform(0, 0.2, 3)
        order = np.argsort(-bright if by_exposure else sharpness)
        one = [measures(float(a), bright=float(b)) for a, b in zip(sharpness, bright, strict=True)]
        found.append(burst(*one, stars={int(order[2]) + 1: 5, int(order[1]) + 1: 3, int(order[0]) + 1: 1}))
    return found


def test_weights_are_learned_from_stars_that_the_fixed_ones_do_not_predict() -> None:
    weights = learn(rated(30, by_exposure=True))
    assert weights.learned
    assert weights.frames == 90
    assert weights.values[4] / weights.values[0] > 2 * FIXED_WEIGHTS[4] / FIXED_WEIGHTS[0]
    assert min(weights.values) >= 0
    assert weights.right is not None
    assert weights.right_fixed is not None
    assert weights.right > weights.right_fixed + 0.1


def test_too_few_stars_leave_the_fixed_weights() -> None:
    assert learn(rated(LEAST_FRAMES // 3, by_exposure=True)) == Weights(frames=LEAST_FRAMES // 3 * 3)
    alike = [burst(measures(), measures(), stars={1: 3, 2: 3}) for _ in range(60)]
    assert learn(alike) == Weights()
    assert learn([]) == Weights()


def test_stars_that_follow_nothing_do_not_replace_the_fixed_weights() -> None:
    random = np.random.default_rng(4)
    found = [burst(measures(), measures(), measures(), stars={int(random.integers(1, 4)): 5, 1: 2}) for _ in range(40)]
    weights = learn(found)
    assert not weights.learned
    assert weights.values == FIXED_WEIGHTS
    assert weights.right is not None
