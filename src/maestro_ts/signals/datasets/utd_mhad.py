"""UTD-MHAD: 27 actions, one inertial unit at 50 Hz and the skeleton of a depth camera at 30 Hz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, FormatError, MaestroError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Download, Reading, Refusal
from maestro_ts.signals.formats.archive import Folder, check_refused, open_folder
from maestro_ts.signals.formats.matlab import read_mat_array
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "read"]

INERTIAL_HZ, SKELETON_HZ = 50.0, 30.0
JOINTS, AXES = 20, 3
LARGEST = float(np.finfo(np.float32).max)
VARIABLES = {"inertial": "d_iner", "skeleton": "d_skel"}
FILE = (
    r"(?P<trial>a(?P<action>\d+)_(?P<subject>s\d+)_t(?P<number>\d+))"
    r"_(?P<kind>inertial|skeleton)\.mat"
)
ACTIONS = (  # by the number in the file's name, from 1
    *("swipe_left", "swipe_right", "wave", "clap", "throw", "arm_cross", "basketball_shoot"),
    *("draw_x", "draw_circle_clockwise", "draw_circle_counter_clockwise", "draw_triangle"),
    *("bowling", "boxing", "baseball_swing", "tennis_swing", "arm_curl", "tennis_serve", "push"),
    *("knock", "catch", "pick_up_and_throw", "jog", "walk", "sit_to_stand", "stand_to_sit"),
    *("lunge", "squat"),
)

CARD = Card(
    name="utd-mhad",
    title="UTD-MHAD: human actions with a worn inertial unit and a depth camera's skeleton",
    task="27 actions",
    schema=Schema(
        [
            Modality("acc", 3, INERTIAL_HZ, "g", "inertial"),
            Modality("gyro", 3, INERTIAL_HZ, "deg/s", "inertial"),
            Modality("skeleton", JOINTS * AXES, SKELETON_HZ, "m", "camera"),
        ]
    ),
    classes=ACTIONS,
    windows=WindowSpec(duration_s=None),
    label_rule="A trial is one window; its label is the action in the file's name.",
    licence="none written; offered for free download for research, the paper to be cited",
    citation=(
        "C. Chen, R. Jafari, N. Kehtarnavaz: UTD-MHAD: A Multimodal Dataset for Human Action "
        "Recognition Utilizing a Depth Camera and a Wearable Inertial Sensor. IEEE ICIP 2015, "
        "168-172."
    ),
    how_to_get=(
        "Owners: University of Texas at Dallas. Give a zip archive of, or the folder that holds, "
        "Inertial and Skeleton."
    ),
    page="https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
    downloads=tuple(
        Download(
            f"https://www.utdallas.edu/~kehtar/UTD-MAD/{file}",
            file,
            hosts=("personal.utdallas.edu",),
        )
        for file in ("Inertial.zip", "Skeleton.zip")
    ),
    subjects=8,
    clock="stretched",
    quirks=(
        "No common clock: at the nominal rates a trial lasts 2.14-6.52 s for the inertial unit and "
        "1.37-4.17 s for the camera (ratio 1.58 in the median, 1.43-2.71), although both saw the "
        "same action. The inertial time is kept, and the F frames of the skeleton are laid evenly "
        "over it: frame j of a trial of T seconds sits at j T / F. 30 Hz remains its nominal rate; "
        "in the time of its stamps it is 11-21 Hz. That an instant of the one is the same instant "
        "of the other is true up to this stretching only.",
        "A trial of which only one file is there, or can be read, is kept with the other's "
        "modalities absent. With the skeleton alone there is nothing to stretch it to: it lasts "
        "as long as its frames at 30 Hz.",
        "3 of the 27 x 8 x 4 trials were never published: a8_s1_t4, a23_s6_t4, a27_s8_t4.",
        "The inertial unit is on the right wrist for the actions 1-21 and on the right thigh for "
        "22-27 (jog to squat): acc and gyro tell of the place as well as of the movement.",
        "acc clips at 8 g in 22 trials, gyro at 1000.5 deg/s in 19. Left as it is.",
        "The channels of the skeleton are the 20 joints in the order of Skeleton_joint_order.txt, "
        "x, y, z each, in metres in the camera's frame: not centred on the body.",
    ),
)


def read(
    path: Path | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Read every trial of the archive or unpacked folder.

    Parameters
    ----------
    path : Path
    progress : callable (done, total)
        Told after each trial.

    Raises
    ------
    FormatError
        No file of the data set there, or more than half of the files cannot be read.
    """
    if path is None:
        raise DataError("The data set 'utd-mhad' needs the path to its files.", fix=CARD.how_to_get)
    recordings: list[Recording] = []
    refused: list[Refusal] = []
    with open_folder(path) as folder:
        n_files = len(folder.matching(FILE))
        if not n_files:
            raise folder.nothing_found("a*_s*_t*_inertial.mat or a*_s*_t*_skeleton.mat file")
        trials = _trials(folder, refused)
        for done, (key, files) in enumerate(trials.items(), start=1):
            recording = _read_trial(folder, key, files, refused)
            if recording is not None:
                recordings.append(recording)
            progress(done, len(trials))
    check_refused(str(path), n_files - len(refused), [f"{r.where}: {r.why}" for r in refused])
    return Reading(recordings, refused)


Key = tuple[int, str, int]  # action, subject, number: how trials are sorted


def _trials(folder: Folder, refused: list[Refusal]) -> dict[Key, dict[str, str]]:
    """Members by kind of every trial, in the order of action, subject and trial."""
    found: dict[Key, dict[str, str]] = {}
    for member, name in folder.matching(FILE).items():
        action = int(name["action"])
        files = found.setdefault((action, name["subject"], int(name["number"])), {})
        if not 1 <= action <= len(ACTIONS):
            refused.append(Refusal(member, f"unknown action {action}; 1-{len(ACTIONS)} are known."))
        elif name["kind"] in files:
            refused.append(Refusal(member, "a second file of this name; the first is used."))
        else:
            files[name["kind"]] = member
    return dict(sorted(found.items()))


def _read_trial(
    folder: Folder, key: Key, files: dict[str, str], refused: list[Refusal]
) -> Recording | None:
    """Read what can be read of a trial; nothing, if neither file can."""
    arrays: dict[str, NDArray[np.float32]] = {}
    notes: list[str] = []
    for kind in VARIABLES:
        if kind not in files:
            notes.append(f"{kind}: no file.")
            continue
        try:
            arrays[kind] = _read_array(folder.read(files[kind]), files[kind], kind)
        except MaestroError as error:
            refused.append(Refusal(error.where or files[kind], error.what))
            notes.append(f"{kind}: its file was refused.")
    if not arrays:
        return None
    action, subject, number = key
    streams, duration_s = _streams(arrays)
    return Recording(
        streams,
        subject=subject,
        source=f"a{action}_{subject}_t{number}",
        labels=(Interval(0.0, duration_s, ACTIONS[action - 1]),),
        duration_s=duration_s,
        clock=CARD.clock,
        notes=tuple(notes),
    )


def _read_array(data: bytes, where: str, kind: str) -> NDArray[np.float32]:
    """One file's samples, shape (T, 6) or (T, 60); time is the last axis of a skeleton file."""
    name = VARIABLES[kind]
    values = read_mat_array(data, where, name)
    if kind == "skeleton":
        expected = f"({JOINTS}, {AXES}, T)"
        fits = values.ndim == 3 and values.shape[:2] == (JOINTS, AXES)
    else:
        expected = "(T, 6)"
        fits = values.ndim == 2 and values.shape[1] == 6
    if not fits or not values.size:
        raise FormatError(f"{name} has shape {values.shape}, {expected} expected.", where=where)
    bad = np.argwhere(~(np.abs(values) <= LARGEST))
    if len(bad):
        at = tuple(int(i) for i in bad[0])
        raise FormatError(
            f"{name} has {len(bad)} values that are no finite numbers of 32 bits, the first is "
            f"{values[at]:g} at {at}.",
            where=where,
        )
    if kind == "skeleton":
        values = values.reshape(JOINTS * AXES, -1).T
    return np.ascontiguousarray(values, dtype=np.float32)


def _streams(arrays: dict[str, NDArray[np.float32]]) -> tuple[dict[str, Stream], float]:
    """Streams that all span the trial, and its duration in seconds."""
    streams: dict[str, Stream] = {}
    if "inertial" in arrays:
        inertial = arrays["inertial"]
        streams["acc"] = Stream(inertial[:, :3], INERTIAL_HZ)
        streams["gyro"] = Stream(inertial[:, 3:], INERTIAL_HZ)
        duration_s = len(inertial) / INERTIAL_HZ
    else:
        duration_s = len(arrays["skeleton"]) / SKELETON_HZ
    if "skeleton" in arrays:
        frames = arrays["skeleton"]
        times = np.linspace(0.0, duration_s, len(frames), endpoint=False)
        streams["skeleton"] = Stream(frames, SKELETON_HZ, times)
    return streams, duration_s
