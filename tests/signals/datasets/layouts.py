"""Small files in exactly the owners' layout, as a dict of member name to bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

POSITIONS = ("RIGHTPOCKET", "CHEST", "WAIST", "WRIST", "ANKLE")
# Fewer samples than the real files, the same span.
PHONE_HZ, TAG_HZ = 20, 4


def write(members: dict[str, bytes], root: Path, kind: str) -> Path:
    """Lay members down as a folder or as an archive compressed like the real ones."""
    if kind == "zip":
        path = root / "archive.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path
    folder = root / "unpacked"
    for name, data in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


# --- UMAFall -------------------------------------------------------------------------------------


def umafall_name(subject: int, kind: str, activity: str, trial: int = 1, minute: int = 0) -> str:
    file = f"UMAFall_Subject_{subject:02d}_{kind}_{activity}_{trial}_2016-06-13_20-{minute:02d}-11"
    return f"UMAFall_Dataset/{file}.csv"


def umafall_header(sensors: tuple[int, ...]) -> list[str]:
    table = [
        f"%C4:BE:84:71:A5:0{i}; {i}; {POSITIONS[i]}; {'SensorTag' if i else 'lge-lge-LG-H815-5.1'}"
        for i in sensors
    ]
    lines = [
        "% Universidad de Malaga - ETSI de Telecomunicacion (Spain)",
        *("% Date: 2016-06-13_20:00:11", "% ID: Subject_01_ADL_Walking_1", "% Name: Subject_01"),
        *("% Age: 67", "% Height(cm): 156", "% Weight(Kg): 76", "% Gender: F", ""),
        *("% Type of Movement: ADL", "% Type of Movement: FALSE"),
        *("% Description of the movement: Walking", "% Trial: 1", ""),
        *("% Number of Sensors: 5", "", "% Used Smartphone: LGE-lge-LG-H815-5.1"),
        "% Smartphone's Accelerometer: LGE Accelerometer - Vendor: BOSCH",
        *("% --> Version: 1", "% --> Min - Max Delay: 5000us - 65535000us"),
        *("% --> Maximum Range: 16.000000263891405 G", "% --> Resolution: 1.2136514986E-4 G", ""),
        "% SensorTag's Accelerometer: MPU-9250 MEMS MotionTracking Device - Invensense",
        *("% --> Maximum Range: 16 G", "% --> Resolution: 0.00024 G", ""),
        *("% MAC Address; Sensor_ID; Position; Device Model", *table, ""),
        *("% Sensor_Type:", "% Accelerometer = 0", "% Gyroscope = 1", "% Magnetometer = 2", "", ""),
        "% TimeStamp; Sample No; X-Axis; Y-Axis; Z-Axis; Sensor Type; Sensor ID;",
    ]
    return [line.ljust(84) for line in lines]


def umafall_rows(
    sensors: tuple[int, ...], seed: int, small: dict[int, int], no_mag: dict[int, int]
) -> list[str]:
    """Rows sorted by sensor and kind; `small` and `no_mag` give, by sensor, how many first
    samples are 4 times too small, and how many first magnetometer samples are zero.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for sensor in sensors:
        n = (TAG_HZ if sensor else PHONE_HZ) * 15 + 1
        stamps = np.round(np.linspace(20, 15_010, n)).astype(int)
        if sensor == 0:
            stamps[1::2] = stamps[::2][: len(stamps[1::2])]  # bursts: equal stamps
        for kind in range(3 if sensor else 1):
            values = rng.normal(0, 0.1, (n, 3)) * (1, 30, 30)[kind]
            if kind == 0:
                values[:, 1] += 1
                # Odd multiples on every axis: none lies on the coarse grid by chance.
                raw = 2 * np.round(values * 2048) + 1
                scale = np.where(np.arange(n) < small.get(sensor, 0), 16384, 4096)[:, None]
                values = raw / scale
            if kind == 2:
                values[: no_mag.get(sensor, 0)] = 0
            for i, (t, (x, y, z)) in enumerate(zip(stamps, values, strict=True), start=1):
                rows.append(f"{t};{i};{float(x)!r};{float(y)!r};{float(z)!r};{kind};{sensor}")
    return rows


def umafall_trial(
    *,
    header: tuple[int, ...] = (0, 1, 2, 3, 4),
    worn: tuple[int, ...] = (0, 1, 2, 3, 4),
    seed: int = 0,
    small: dict[int, int] | None = None,
    no_mag: dict[int, int] | None = None,
) -> bytes:
    rows = umafall_rows(worn, seed, small or {}, no_mag or {})
    return ("\n".join(umafall_header(header) + rows) + "\n").encode()


def umafall_spreadsheet(trial: bytes) -> bytes:
    """What a spreadsheet makes of a file: no decimal point left in numbers of magnitude 1."""
    lines = []
    for line in trial.decode().splitlines():
        if line.startswith("%") or not line.strip():
            lines.append(line + ";;;;;;;")
            continue
        fields = [
            f"{float(f):.12f}".replace(".", "")[:1] + ".031.250.000.012"
            if i in (2, 3, 4) and f.startswith("1.")
            else f
            for i, f in enumerate(line.split(";"))
        ]
        lines.append(";".join(fields) + ";")
    return ("\r\n".join(lines) + "\r\n").encode()


def umafall_set() -> dict[str, bytes]:
    """Seven trials of three subjects, one of them spoilt by a spreadsheet."""
    return {
        umafall_name(1, "ADL", "Walking"): umafall_trial(seed=1),
        umafall_name(1, "Fall", "forwardFall"): umafall_trial(seed=2, small={1: 9}),
        umafall_name(1, "ADL", "Sitting_GettingUpOnAChair"): umafall_trial(seed=3, no_mag={4: 5}),
        umafall_name(2, "ADL", "Walking"): umafall_trial(
            seed=4, header=(0, 1, 2, 3, 4), worn=(0, 1, 3, 4)
        ),
        umafall_name(2, "ADL", "LyingDown_OnABed"): umafall_trial(
            seed=5, header=(0, 1, 2, 3), worn=(0, 1, 2, 3), no_mag={3: 10_000}
        ),
        umafall_name(2, "ADL", "Walking", minute=7): umafall_trial(seed=6),
        umafall_name(13, "ADL", "Bending"): umafall_spreadsheet(umafall_trial(seed=7)),
    }


# --- WESAD ---------------------------------------------------------------------------------------

WESAD_OFFSET_S = 100.5
WESAD_DURATION_S = 640
WESAD_START = 1495437325
QUEST = """# Subj;S2;;;;;;;;;
# ORDER;Base;TSST;Medi 1;Fun;sRead;;;;;
# START;1;4.3;6.1;7.08;6.02;;;;;
# END;3;6;7;8.3;6.08;;;;;
;;;;;;;;;;
# PANAS;1;1;3;2;1;3;1;1;1;2;
# STAI;3;2;1;4;2;3;;;;
"""


def e4(values: list[str], rate: int, *, columns: int = 1, start: float = WESAD_START) -> bytes:
    head = [", ".join([f"{start:.6f}"] * columns), ", ".join([f"{rate:.6f}"] * columns)]
    return ("\n".join(head + values) + "\n").encode()


def wesad_signals(duration_s: int = WESAD_DURATION_S, bvp_late_s: float = 0.0) -> dict[str, bytes]:
    n = duration_s
    acc = [f"{i % 64},-6,{64 - i % 3}" for i in range(32 * n)]
    bvp = [f"{np.sin(i / 10):.2f}" for i in range(int(64 * (n - bvp_late_s)))]
    eda = ["0.000000"] + [f"{0.3 + i * 1e-4:.6f}" for i in range(4 * n - 1)]
    temp = ["382.18"] * 4 + [f"{35 + i % 7 / 100:.2f}" for i in range(4 * n - 4)]
    return {
        "ACC.csv": e4(acc, 32, columns=3),
        "BVP.csv": e4(bvp, 64, start=WESAD_START + bvp_late_s),
        "EDA.csv": e4(eda, 4),
        "TEMP.csv": e4(temp, 4),
        "HR.csv": e4(["101.00", "106.50"], 1, start=WESAD_START + 10),
        "tags.csv": b"",
    }


def wesad_offsets(subjects: tuple[str, ...]) -> bytes:
    lines = ["subject,e4_start_unix,offset_s,offset_low_s,offset_high_s,how"]
    lines += [f"{s},{WESAD_START},{WESAD_OFFSET_S},100.4,100.6,a search" for s in subjects]
    return ("\n".join(lines) + "\n").encode()


def wesad_hr_set(subjects: tuple[str, ...] = ("S2", "S10", "S3")) -> dict[str, bytes]:
    """As `wesad_set`, with a heart rate each second from 10 s on, 60 + its second / 10 mod 20."""
    members = wesad_set(subjects)
    rates = [f"{60 + i / 10 % 20:.2f}" for i in range(WESAD_DURATION_S - 10)]
    for s in subjects:
        members[f"WESAD/{s}/{s}_E4_Data/HR.csv"] = e4(rates, 1, start=WESAD_START + 10)
    return members


def wesad_set(subjects: tuple[str, ...] = ("S2", "S10", "S3")) -> dict[str, bytes]:
    members = {"offsets.csv": wesad_offsets(subjects), "WESAD/wesad_readme.pdf": b"%PDF"}
    signals = wesad_signals()
    for s in subjects:
        members |= {f"WESAD/{s}/{s}_E4_Data/{name}": data for name, data in signals.items()}
        members[f"WESAD/{s}/{s}_quest.csv"] = QUEST.replace("S2", s).encode()
        members[f"WESAD/{s}/{s}_readme.txt"] = b"### Personal information ###\n"
    return members


# --- smart watch ---------------------------------------------------------------------------------


def watch_content() -> dict[str, object]:
    rng = np.random.default_rng(0)
    y = np.array([0, 6, 3, 3])
    return {
        "X": [rng.normal(size=(300 + 50 * i, 6)) for i in range(len(y))],
        "y": y,
        "subject": np.array([1, 10, 2, 2]),
        "side": np.array([1.0, 0.0, 1.0, 0.0]),
        "y_labels": ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"],
        "X_labels": ["ax", "ay", "az", "wx", "wy", "wz"],
    }
