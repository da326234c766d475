"""The hot path does as machine code what it does as Python: it passes the same tests, and nothing of it is unsafe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
COMPILED = TOP / "build/compiled"
SUITES = (
    *("tests/schemas", "tests/routing", "tests/life", "tests/stories"),
    *("tests/integration/test_routing_outcomes.py", "tests/integration/test_routing_remembers.py"),
)
NOT_OF_IT = ("tests/routing/agreements", "tests/routing/geography")
"""Of what is not compiled."""
NEVER_WEAK = {"schemas.cut.NotSized", "schemas.opened.Index"}
"""Derived from what Python has itself, so that mypyc gives them room for weak references; nobody makes any."""


def run(*arguments: str, timeout_s: float, **environment: str) -> subprocess.CompletedProcess[str]:
    """This Python, with what was compiled before everything else."""
    environment = {**os.environ, "PYTHONPATH": f"{COMPILED}{os.pathsep}{TOP}", **environment}
    command = [sys.executable, "-P", *arguments]
    return _done(command, environment, timeout_s)


def _done(command: list[str], environment: dict[str, str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )


@pytest.fixture(scope="module")
def compiled() -> Path:
    lacking = [what for what, there in _needed().items() if not there]
    if lacking:
        pytest.skip(
            f"nothing can be compiled here, for want of {' and '.join(lacking)}: the hot path ran as Python only"
        )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "compiled", f"PYTHON={sys.executable}"]
    made = _done(command, environment, timeout_s=580)
    assert made.returncode == 0, made.stdout[-4_000:] + made.stderr[-4_000:]
    return COMPILED


def _needed() -> dict[str, bool]:
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return {
        f"a C compiler ({compiler})": shutil.which(compiler.split()[0]) is not None,
        "Python's headers": Path(sysconfig.get_paths()["include"], "Python.h").exists(),
        "make": shutil.which("make") is not None,
    }


LOOK = """
import importlib, json, runpy
found = {}
for module in runpy.run_path("setup.py", run_name="read")["HOT"]:
    loaded = importlib.import_module(module.replace("/", "."))
    kinds = {f"{kind.__module__}.{name}": kind for name, kind in vars(loaded).items() if isinstance(kind, type)}
    own = {name: kind for name, kind in kinds.items() if "__mypyc_attrs__" in vars(kind)}
    weak = [name for name, kind in own.items() if kind.__weakrefoffset__ and not getattr(kind, "_is_protocol", False)]
    found[module] = {"file": loaded.__file__, "classes": len(own), "weak": weak}
print(json.dumps(found))
"""


def test_all_of_it_is_machine_code_and_nobody_can_have_the_collector_free_what_is_in_use(compiled):
    """mypyc counts weak references to objects of classes that leave room for them as if they were strong."""
    looked = run("-c", LOOK, timeout_s=120)
    assert looked.returncode == 0, looked.stderr
    found = json.loads(looked.stdout)
    assert {Path(each["file"]).suffix for each in found.values()} <= {".so", ".pyd"}
    assert all(Path(each["file"]).is_relative_to(compiled) for each in found.values())
    assert sum(each["classes"] for each in found.values()) > 10
    assert {name for each in found.values() for name in each["weak"]} <= NEVER_WEAK


STRAIGHT = """
from schemas import straight
from schemas.catalogue import catalogue
from schemas.cut import EventForm
forms = [EventForm(entry.schema) for entry in catalogue().versions("IncidentEvent")]
print(type(forms[-1]._read_head).__name__, straight.written.keys() == straight._compiled().keys())
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_so_is_what_is_made_of_the_schemas_of_events(compiled, seed):
    """Whatever order the sets of this process have, which fastavro makes schemas of."""
    told = run("-c", STRAIGHT, timeout_s=120, PYTHONHASHSEED=seed)
    assert told.stdout.split() == ["builtin_function_or_method", "True"], told


def test_the_version_says_that_it_is_compiled(compiled):
    told = run("-c", "from deploy.cli import main; main()", "--version", timeout_s=120)
    assert told.stdout.strip().endswith("(compiled)"), told


def test_it_passes_the_tests_of_the_source(compiled):
    """All but those that put something else in the place of what is compiled in, which machine code does not see."""
    marks = "not long and not docker and not patches"
    left_out = [f"--ignore={suite}" for suite in NOT_OF_IT]
    options = ("-q", "-m", marks, "-o", f"pythonpath={compiled} {TOP}", "-p", "no:cacheprovider", *left_out)
    done = run("-m", "pytest", *options, *SUITES, timeout_s=590)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
