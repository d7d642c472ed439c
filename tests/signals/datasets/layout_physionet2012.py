"""PhysioNet 2012: a few stays in exactly the owners' layout."""

from __future__ import annotations

OUTCOME_HEADER = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"
SERIES = ("00:07,HR,73", "00:07,pH,735", "00:37,HR,77", "00:37,HR,79", "48:00,HR,80")


def stay(
    record: int,
    *rows: str,
    age: int = 54,
    gender: int = 0,
    height: str = "-1",
    icu: int = 4,
    weight: str = "-1",
) -> bytes:
    lines = ["Time,Parameter,Value", f"00:00,RecordID,{record}", f"00:00,Age,{age}"]
    lines += [f"00:00,Gender,{gender}", f"00:00,Height,{height}", f"00:00,ICUType,{icu}"]
    lines += [f"00:00,Weight,{weight}", *rows]
    return ("\n".join(lines) + "\n").encode()


def outcomes(deaths: dict[int, int], days: dict[int, str] | None = None) -> bytes:
    """Lines of an outcomes file; a stay has 5 days unless `days` gives other text."""
    days = days or {}
    lines = [OUTCOME_HEADER]
    lines += [f"{r},6,1,{days.get(r, '5')},-1,{death}" for r, death in deaths.items()]
    return ("\n".join(lines) + "\n").encode()


def physionet_set() -> dict[str, bytes]:
    """Three stays of set-a, two of set-b."""
    return {
        "Outcomes-a.txt": outcomes({132539: 0, 132540: 1, 140501: 0}),
        "Outcomes-b.txt": outcomes({142675: 1, 142676: 0}),
        "set-a/132539.txt": stay(132539, *SERIES, height="175.3"),
        "set-a/132540.txt": stay(132540, "00:05,Weight,81.2", "01:05,Temp,-17.8", weight="80.6"),
        "set-a/140501.txt": stay(140501, age=83, gender=-1, icu=2),
        "set-b/142675.txt": stay(142675, "00:00,Weight,70.4", "47:59,GCS,15", weight="70.8"),
        "set-b/142676.txt": stay(142676, "12:30,MechVent,1", gender=1),
    }
