# SPDX-License-Identifier: GPL-2.0-only
"""The lab's results file: its fields, and writing and reading it.

    {"schema": 1, "kernel": "6.12…", "xen": "4.20…", "qemu": "11.1.3", "nic": "…", "bytes": 67108864,
     "runs": [{"config": "guest12", "repeat": 0, "mbps": 190.2, "lro_ratio": 21.5, "retransmits": 0, …}]}

`bytes` is the payload of each run. Readers must accept fields that are not named here; the lab itself adds
`memory_mib`, the resident memory of the machines that own the NIC, and to each run `seconds`, `segments` and `packets`
(see lab/traffic.py), `counters`, the differences of the counters of NIC process and drivers over the run, and the
fields that lab/measure.py lists. `topology` has the name of a topology of lab/domains.py, the kind of its guests, its
domains, those that the payload passes in that order, and its hops. `machine` describes the host; `ratios` are those of
lab/ratios.py, `scaling` the rows of lab/scaling.py, `profile` the symbols of lab/symbols.py.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from .steps import LabError

SCHEMA = 1
TOP_FIELDS = {"schema": int, "kernel": str, "xen": str, "qemu": str, "nic": str, "bytes": int, "runs": list}
RUN_FIELDS = {"config": str, "repeat": int, "mbps": (int, float), "lro_ratio": (int, float), "retransmits": int}


def validate(results: object) -> dict:
    """Return `results` when it has every field of the schema with the right type; raise LabError if not."""
    if not isinstance(results, dict):
        raise LabError("the results are not a JSON object")
    _require(results, TOP_FIELDS, "the results")
    if results["schema"] != SCHEMA:
        raise LabError(f"the results have schema {results['schema']}; this lab reads schema {SCHEMA}")
    for run in results["runs"]:
        if not isinstance(run, dict):
            raise LabError("a run of the results is not a JSON object")
        _require(run, RUN_FIELDS, "a run of the results")
    return results


def _require(record: dict, fields: dict, what: str) -> None:
    for name, kind in fields.items():
        if not isinstance(record.get(name), kind) or isinstance(record.get(name), bool):
            raise LabError(f"{what} lack a proper {name!r}")


def write(results: dict, path: Path) -> None:
    """Write the file whole or not at all."""
    validate(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".results-")
    try:
        with os.fdopen(handle, "w") as out:
            json.dump(results, out, indent=1)
            out.write("\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> dict:
    """Read and validate a results file."""
    try:
        return validate(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise LabError(f"{path} does not exist: run `make lab`") from error
    except ValueError as error:
        raise LabError(f"{path} is not JSON ({error}); remove it and run `make lab`") from error
