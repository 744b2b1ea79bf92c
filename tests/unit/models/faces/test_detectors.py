"""Reading the outputs of detectors, merging boxes, aligning faces and rating them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photoindex.errors import ModelUnavailable
from photoindex.models.base import FacesInPicture
from photoindex.models.faces.alignment import aligned, similarities, template
from photoindex.models.faces.decoders import Candidates, decoder_of
from photoindex.models.faces.description import DetectorDescription
from photoindex.models.faces.detector import FACES_MAX, OnnxFaceDetector, merged
from photoindex.models.faces.quality import sharpness, yaw_and_roll
from photoindex.models.network import Network
from tests.tiny_faces import draw_face, write_tiny_faces

VALUES = {"mean": (127.5,) * 3, "standard_deviation": (128.0,) * 3}


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def detector(path: Path, layout: str, **settings: object) -> OnnxFaceDetector:
    described = DetectorDescription.model_validate({"file": path.name, "layout": layout, **VALUES, **settings})
    return OnnxFaceDetector(Network(path, device="cpu", threads=1), described)


def same(one: FacesInPicture, other: FacesInPicture) -> None:
    np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-2)
    np.testing.assert_allclose(one.landmarks, other.landmarks, atol=1e-2)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


def test_scrfd_with_and_without_an_axis_of_the_batch_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from tests.face_networks import write_scrfd

    pictures = [noise(300, 400), noise(400, 300, 1), noise(640, 640, 2), noise(300, 400, 3)]
    single = detector(write_scrfd(tmp_path / "single.onnx"), "scrfd").detect(pictures)
    batched = detector(write_scrfd(tmp_path / "batched.onnx", batched=True), "scrfd").detect(pictures)
    assert all(len(faces) for faces in single)
    for one, other, picture in zip(single, batched, pictures, strict=True):
        same(one, other)
        same(one, detector(tmp_path / "batched.onnx", "scrfd").detect([picture])[0])


def test_a_detector_without_landmarks_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from tests.face_networks import write_scrfd

    path = write_scrfd(tmp_path / "no-points.onnx", with_landmarks=False)
    with pytest.raises(
        ModelUnavailable, match=r"no-points\.onnx .* 6 outputs instead of 9 or 15; it finds no landmarks"
    ):
        detector(path, "scrfd")


def test_a_second_look_finds_a_face_that_fills_the_picture_and_keeps_the_others(tmp_path: Path) -> None:
    folder = write_tiny_faces(tmp_path)
    image = Image.new("RGB", (1024, 1024), "gray")
    draw_face(image, 1, (100, 20, 1000, 920))
    draw_face(image, 2, (30, 950, 70, 990))
    settings = {"mean": (0,) * 3, "standard_deviation": (1,) * 3, "colours": "BGR", "longest_px": 2048}
    once, twice = (
        detector(folder / "detector.onnx", "yunet", closer=closer, **settings).detect([np.asarray(image)])[0]
        for closer in (None, 0.5)
    )
    assert once.boxes[:, 2].round(-1).tolist() == [40]
    assert sorted(twice.boxes[:, 2].round(-1).tolist()) == [40, 900]


def test_a_network_of_fixed_size_finds_small_faces_in_parts_of_the_picture(tmp_path: Path) -> None:
    import onnx

    folder = write_tiny_faces(tmp_path)
    model = onnx.load(folder / "detector.onnx")
    for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dimension.dim_value = 640
    onnx.save(model, folder / "detector.onnx")
    image = Image.new("RGB", (2048, 1536), "gray")
    corners = [(5, 5), (2000, 5), (5, 1490), (2000, 1490), (620, 600), (480, 470), (1100, 700)]
    for person, (left, top) in enumerate(corners):
        draw_face(image, person, (left, top, left + 40, top + 40))
    draw_face(image, 9, (1150, 150, 1650, 650))
    settings = {"mean": (0,) * 3, "standard_deviation": (1,) * 3, "colours": "BGR", "overlap": 0.3}
    usual, detailed = (
        detector(folder / "detector.onnx", "yunet", longest_px=longest_px, **settings).detect([np.asarray(image)])[0]
        for longest_px in (640, 2048)
    )
    assert usual.boxes[:, 2].round(-2).tolist() == [500]
    small = detailed.boxes[detailed.boxes[:, 2] < 60, :2]
    places = sorted(corners)
    np.testing.assert_allclose(small[np.lexsort((small[:, 1], small[:, 0].round(-1)))], places, atol=5)
    assert len(detailed) == len(corners) + 1


def test_yunet_reads_cell_exponent_and_both_scores() -> None:
    outputs = {}
    for stride in (8, 16, 32):
        cells = (64 // stride) * (96 // stride)
        for part, numbers in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            outputs[f"{part}_{stride}"] = np.zeros((2, cells, numbers), np.float32)
    cell = 2 * (96 // 16) + 3
    outputs["cls_16"][1, cell], outputs["obj_16"][1, cell] = 0.9, 0.4
    outputs["bbox_16"][1, cell] = (0.5, 0.25, np.log(2), np.log(3))
    outputs["kps_16"][1, cell] = np.arange(10) / 10
    nothing, found = decoder_of("yunet").decode(outputs, 64, 96, 0.5)
    assert len(nothing.scores) == 0
    np.testing.assert_allclose(found.scores, [0.6], atol=1e-6)
    np.testing.assert_allclose(found.corners, [[56 - 16, 36 - 24, 56 + 16, 36 + 24]], atol=1e-4)
    points = (np.arange(10).reshape(5, 2) / 10 + (3, 2)) * 16
    np.testing.assert_allclose(found.landmarks[0], points, atol=1e-4)


def test_retinaface_reads_offsets_from_prior_boxes_and_takes_logits_too() -> None:
    priors = sum(2 * (64 // stride) * (96 // stride) for stride in (8, 16, 32))
    boxes, points = np.zeros((1, priors, 4), np.float32), np.zeros((1, priors, 10), np.float32)
    scores = np.tile(np.array([1.0, 0.0], np.float32), (1, priors, 1))
    # The second box, of 32 px, in row 1 and column 2 of the first stride: its centre is (20, 12).
    chosen = 2 * (1 * (96 // 8) + 2) + 1
    boxes[0, chosen] = (1, -1, np.log(2) / 0.2, 0)
    points[0, chosen, :2] = (1, 1)
    scores[0, chosen] = (0.2, 0.8)
    logits = np.log(np.maximum(scores, 1e-6)) + 3
    for values in (scores, logits):
        outputs = {"loc": boxes, "conf": values, "landms": points}
        (found,) = decoder_of("retinaface").decode(outputs, 64, 96, 0.5)
        np.testing.assert_allclose(found.scores, [0.8], atol=1e-4)
        middle, size = np.array([20 + 3.2, 12 - 3.2]), np.array([64, 32])
        np.testing.assert_allclose(found.corners[0], np.concatenate([middle - size / 2, middle + size / 2]), atol=1e-3)
        np.testing.assert_allclose(found.landmarks[0, 0], [23.2, 15.2], atol=1e-4)
        np.testing.assert_allclose(found.landmarks[0, 1:], np.tile([20, 12], (4, 1)), atol=1e-4)


def test_a_retinaface_network_runs_on_pictures_of_several_shapes(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from tests.face_networks import write_retinaface

    found = detector(write_retinaface(tmp_path / "r.onnx"), "retinaface").detect([noise(300, 400), noise(640, 300)])
    assert all(len(faces) for faces in found)


def candidates(corners: NDArray[np.float32], scores: NDArray[np.float32]) -> Candidates:
    return Candidates(corners, scores, np.zeros((len(scores), 5, 2), np.float32))


def test_of_overlapping_boxes_the_best_is_kept() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 0, 30, 10], [0, 0, 10, 4]], np.float32)
    faces = merged(candidates(corners, np.array([0.7, 0.9, 0.6, 0.8], np.float32)), 0.4)
    np.testing.assert_allclose(faces.boxes[:, 0], [1, 0, 20])
    np.testing.assert_allclose(faces.scores, [0.9, 0.8, 0.6])
    assert not faces.limited


def test_candidates_that_are_no_numbers_or_have_no_size_are_left_out() -> None:
    corners = np.array([[0, 0, np.nan, 1], [0, 0, np.inf, 1], [5, 5, 5, 9], [9, 9, 1, 1], [0, 0, 2, 2]], np.float32)
    assert len(merged(candidates(corners, np.full(5, 0.9, np.float32)), 0.4)) == 1


def test_ten_thousand_faces_in_one_picture_are_limited_to_the_best() -> None:
    side = np.arange(100, dtype=np.float32) * 10
    place = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    # Four candidates for each face, as a detector gives.
    corners = np.concatenate(
        [np.concatenate([place + shift, place + 9 + shift], axis=1) for shift in (0, 0.2, 0.4, 0.6)]
    )
    scores = np.random.default_rng(0).uniform(0.5, 1, len(corners)).astype(np.float32)
    faces = merged(candidates(corners, scores), 0.4)
    assert len(faces) == FACES_MAX
    assert faces.limited
    assert (np.diff(faces.scores) <= 0).all()
    assert faces.scores[0] == scores.max()


def test_landmarks_of_a_turned_and_scaled_face_are_taken_to_the_template() -> None:
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (template(112) @ turn.T * 1.7 + (40, -12)).astype(np.float32)
    (matrix,) = similarities(points[None], 112)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], template(112), atol=1e-3)
    yaw, roll = yaw_and_roll(points[None])
    np.testing.assert_allclose(roll, [25], atol=0.1)
    assert abs(yaw[0]) < 2


def test_templates_of_other_sizes_are_scaled_or_wider() -> None:
    np.testing.assert_allclose(template(224), template(112) * 2)
    np.testing.assert_allclose(template(128), template(112) + np.array([8, 0]))


def test_a_nose_to_the_side_is_a_turned_head_also_in_profile() -> None:
    frontal = template(112).astype(np.float32)
    right, left, profile = (frontal.copy() for _ in range(3))
    right[2, 0] += 10
    left[2, 0] -= 10
    profile[[0, 1], 0], profile[[3, 4], 0], profile[2, 0] = 50, 52, 80
    yaw, roll = yaw_and_roll(np.stack([frontal, right, left, profile]))
    assert abs(yaw[0]) < 2
    assert 20 < yaw[1] < 45
    assert -45 < yaw[2] < -20
    assert yaw[3] > 60
    assert np.abs(roll).max() < 25


def test_landmarks_on_one_point_and_outside_of_the_picture_give_a_face() -> None:
    picture = noise(50, 50)
    for points in (np.full((1, 5, 2), 25), np.full((1, 5, 2), -500), np.zeros((1, 5, 2))):
        faces = aligned(picture, points.astype(np.float32), 112)
        assert faces.shape == (1, 112, 112, 3)
        yaw, roll = yaw_and_roll(points.astype(np.float32))
        assert np.isfinite([*yaw, *roll, *sharpness(faces)]).all()


def test_a_blurred_face_is_less_sharp() -> None:
    import cv2

    face = noise(112, 112)
    assert sharpness(np.stack([face]))[0] > 10 * sharpness(np.stack([cv2.GaussianBlur(face, (0, 0), 3)]))[0]


def test_an_empty_picture_list_and_no_faces_are_no_error() -> None:
    assert sharpness(np.empty((0, 112, 112, 3), np.uint8)).shape == (0,)
    yaw, roll = yaw_and_roll(np.empty((0, 5, 2), np.float32))
    assert yaw.shape == roll.shape == (0,)
    assert aligned(noise(9, 9), np.empty((0, 5, 2), np.float32), 112).shape == (0, 112, 112, 3)
