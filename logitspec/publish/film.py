"""Films of some steps: the stills of their beats, each with its time."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.publish.picture import PNG_SCALE, rasterize, render
from logitspec.trace.records import Trace

SIZE = (1280, 720)  # of a film in WebP
MAX_FRAMES = 24 * 5  # steps of a film, times the beats of each
MIN_MS, MAX_MS = 40, 10_000
NO_FFMPEG = "MP4 is written by ffmpeg, which is not installed here; install it, or write a .webp."
NO_FILM = "This is not a film made by the page; save one there as .webp."


def webp(trace: Trace, steps: str) -> bytes:
    """A WebP of 1280 x 720 that plays the steps over and over. Raises LogitSpecError as `picture.png` does."""
    return rasterize(_frames(trace, steps), "film")[0]


def mp4(trace: Trace, steps: str) -> bytes:
    """The same as a video of 1920 x 1080. Also raises LogitSpecError if there is no ffmpeg, or it fails."""
    if find_ffmpeg() is None:
        raise LogitSpecError(NO_FFMPEG)
    frames = _frames(trace, steps)
    return _video(rasterize(frames, "png", PNG_SCALE), [frame["time"] for frame in frames])


def mp4_of_webp(film: bytes) -> bytes:
    """A video of 1280 x 720 from a film such as `webp` makes.

    Raises LogitSpecError if it is another file or too long, if there is no ffmpeg, or it fails.
    """
    from PIL import Image  # comes with Gradio, which the command line does without

    try:
        with Image.open(BytesIO(film), formats=["WEBP"]) as images:
            count = getattr(images, "n_frames", 1)
            if images.size != SIZE or count > MAX_FRAMES:
                raise LogitSpecError(NO_FILM)
            stills, times = [], []
            for number in range(count):
                images.seek(number)
                still = BytesIO()
                images.convert("RGB").save(still, "PNG", compress_level=1)
                stills.append(still.getvalue())
                times.append(min(max(int(images.info.get("duration", 0)), MIN_MS), MAX_MS))
    except (OSError, ValueError, EOFError) as error:  # from Pillow, whatever was sent
        raise LogitSpecError(NO_FILM) from error
    return _video(stills, times)


def _video(stills: list[bytes], times: list[int]) -> bytes:
    """PNG files as MP4, each shown for its milliseconds in `times`."""
    program = find_ffmpeg()
    if program is None:
        raise LogitSpecError(NO_FFMPEG)
    with TemporaryDirectory(prefix="logitspec-") as folder:
        lines = []
        for number, (still, time) in enumerate(zip(stills, times, strict=True)):
            Path(folder, f"{number}.png").write_bytes(still)
            lines += [f"file {number}.png", f"duration {time / 1000}"]
        seconds = sum(times) / 1000
        # Some releases of ffmpeg ignore the duration of the last entry; listing it twice helps.
        Path(folder, "list.txt").write_text("\n".join([*lines, f"file {len(stills) - 1}.png", ""]))
        command = [
            program, "-loglevel", "error", "-f", "concat", "-i", "list.txt",
            "-vf", "format=yuv420p,fps=25", "-preset", "veryfast", "-tune", "stillimage",
            "-t", str(seconds), "-movflags", "+faststart", "film.mp4",
        ]  # fmt: skip
        # Without a terminal, whose keys it would take: in its background, that stops the whole app.
        process = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            reason = process.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise LogitSpecError(
                f"ffmpeg could not write the film ({reason[0][:200]}); write a .webp."
            )
        return Path(folder, "film.mp4").read_bytes()


def find_ffmpeg() -> str | None:
    """The ffmpeg on the PATH, else that of the package imageio-ffmpeg; None where there is neither."""
    if program := shutil.which("ffmpeg"):
        return program
    spec = find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return None
    binaries = sorted(Path(spec.origin).parent.glob("binaries/ffmpeg-*"))
    return str(binaries[0]) if binaries else None


def _frames(trace: Trace, steps: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads(render("frames", trace, steps))
    return frames
