"""Videos in, overlay videos and masks out; the test makes its own."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from segtut.data import DataError, Scenes
from segtut.files import WriteError
from segtut.inference import overlay, predict_files
from segtut.training.checkpoint import save_network
from tests.test_cli import segtut

FRAMES, SIZE, RATE = 7, (40, 56), 12.5


@pytest.fixture
def video(tmp_path):
    """Streets as Motion JPEG, which OpenCV writes and reads without FFmpeg."""
    path = tmp_path / "drive.avi"
    stream = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, SIZE[::-1])
    for street, _ in Scenes("test", SIZE, length=FRAMES):
        stream.write(street[..., ::-1])
    stream.release()
    return path


def frames_of(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return frames, capture.get(cv2.CAP_PROP_FPS)


def test_a_video_is_its_frames(ccnet, video, tmp_path, monkeypatch, capsys):
    weights, out = save_network(tmp_path / "ccnet.safetensors", ccnet), tmp_path / "out"
    words = ("predict", video, "--run", weights, "--out", out, "--masks", "--batch", 3)
    assert segtut(monkeypatch, *words) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / "drive_overlay.mp4"), str(out / "drive_masks")]
    assert sorted(path.name for path in out.iterdir()) == ["drive_masks", "drive_overlay.mp4"]

    frames, _ = frames_of(video)
    drawn, rate = frames_of(out / "drive_overlay.mp4")
    masks = sorted((out / "drive_masks").iterdir())
    assert len(frames) == len(drawn) == len(masks) == FRAMES and rate == RATE
    (tmp_path / "frames").mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "frames" / f"{number:06}.png")
    predict_files(ccnet, [tmp_path / "frames"], tmp_path / "alone", batch_size=1)
    for path, frame, seen in zip(masks, frames, drawn):
        mask = np.asarray(Image.open(path))
        assert (mask == np.asarray(Image.open(tmp_path / "alone" / f"{path.stem}_mask.png"))).mean() > 0.999
        differences = [np.abs(seen.astype(int) - overlay(other, mask)).mean() for other in (frame, frames[-1])]
        assert differences[0] < 8 and (frame is frames[-1] or differences[0] < differences[1])  # mp4v loses some

    before = (out / "drive_overlay.mp4").stat().st_mtime_ns
    assert segtut(monkeypatch, *words, "--resume") == 0
    assert (out / "drive_overlay.mp4").stat().st_mtime_ns == before and capsys.readouterr().out == ""


def test_a_video_that_does_not_decode_is_refused_before_anything_is_written(ccnet, video, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    for name, said in (("text.mp4", "does not decode as a video"), ("missing.mp4", "no such file")):
        with pytest.raises(DataError, match=said):
            predict_files(ccnet, [video, tmp_path / name], tmp_path / "out")
    other = tmp_path / "drive.mp4"
    other.write_bytes(video.read_bytes())
    with pytest.raises(DataError, match="would write the same files"):
        predict_files(ccnet, [video, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_video_that_breaks_off_says_so(ccnet, video, tmp_path, capsys):
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 2 // 3])
    predict_files(ccnet, [video], tmp_path / "out")
    drawn, _ = frames_of(tmp_path / "out" / "drive_overlay.mp4")
    assert 2 <= len(drawn) < FRAMES
    assert f"promises {FRAMES} frames, of which {len(drawn)} decode" in capsys.readouterr().out


def test_no_part_of_a_video_is_left(ccnet, video, tmp_path, monkeypatch):
    """Neither when the computing stops in the middle nor when the disk is full, of which OpenCV says nothing."""
    out = tmp_path / "out"
    calls = iter((torch.zeros(3, *SIZE, dtype=torch.int64),))
    with monkeypatch.context() as patch:
        patch.setattr("segtut.inference.files.segmenter", lambda *_: lambda _: next(calls, None).clone())
        with pytest.raises(AttributeError):
            predict_files(ccnet, [video], out, batch_size=3)
    assert list(out.iterdir()) == []

    class Full:
        def __init__(self, *_): pass  # fmt: skip

        isOpened = lambda self: True  # noqa: E731
        write = release = lambda *_: None

    monkeypatch.setattr(cv2, "VideoWriter", Full)
    with pytest.raises(WriteError, match=r"drive_overlay\.mp4 could not be written"):
        predict_files(ccnet, [video], out)
    assert list(out.iterdir()) == []
