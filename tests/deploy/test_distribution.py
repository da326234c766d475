"""What is installed is all that the packages are made of, not only what an editable installation finds beside it."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "producers", "routing", "consumers", "deploy")
BESIDE = ("deploy/prometheus/", "deploy/compose", "deploy/Dockerfile", "deploy/.env.example")
"""Read from the repository, by whoever runs Prometheus or containers: no part of the program."""


def test_a_wheel_holds_every_module_and_every_file_that_one_reads(tmp_path):
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    source = tmp_path / "source"
    for name in (*tracked, "pyproject.toml", "README.md", "LICENSE"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    ran = subprocess.run([*build, "--wheel-dir", tmp_path, source], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        held = set(packed.namelist())
    wanted = {name for name in tracked if not name.startswith(BESIDE)}
    assert wanted - held == set()
