"""clang-format leaves every tracked C++ and CUDA file as it is."""
import pathlib
import re
import subprocess
import sys

from tree import ROOT, cpp_files, report

formatter = pathlib.Path(sys.executable).parent / "clang-format"
files = cpp_files()
done = subprocess.run([formatter, "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True, text=True)
breaches = sorted(set(re.findall(r"^(\S+?:\d+):\d+: error: code should be clang-formatted", done.stderr, re.MULTILINE)))
if done.returncode and not breaches:
    breaches = [done.stderr.strip()]
report([f"{place}: not formatted (clang-format -i)" for place in breaches], len(files))
