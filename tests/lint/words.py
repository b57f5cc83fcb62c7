"""No tracked file names a path of the machine it was written on, or a package registry's host."""
import os
import pathlib
import re

from tree import ROOT, report, tracked_files

places = {str(ROOT), str(ROOT.parent / "shared"), str(pathlib.Path.home())} - {"/"}
PATH = re.compile("|".join(rf"(?<![\w/.]){re.escape(place)}(?![\w-])" for place in sorted(places, key=len, reverse=True)))
HOST = re.compile(r"https?://[\w.-]*\b(pypi\.org|pythonhosted\.org|crates\.io|npmjs\.org|deb\.debian\.org)")
LOCK_FILES = ("Cargo.lock",)  # cargo writes its registry's address into them

breaches = []
files = tracked_files()
for name in files:
    for number, line in enumerate((ROOT / name).read_bytes().decode("utf-8", "replace").splitlines(), 1):
        for pattern, what in ((PATH, "a path of this machine"), (HOST, "a package registry's host")):
            if (found := pattern.search(line)) and not (pattern is HOST and os.path.basename(name) in LOCK_FILES):
                breaches.append(f"{name}:{number}: {what}: {found.group(0)}")
report(breaches, len(files))
