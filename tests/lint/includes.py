"""A folder includes only folders before it in core_folders of CMakeLists.txt; cli > launcher > core; torch stays below the
engine, by detours too; heavy third-party headers stay where they belong."""
import functools
import re

from tree import ROOT, cpp_files, includes, read, report

def folders(name: str) -> list[str]:
    """A list of folders in CMakeLists.txt."""
    return re.search(rf"set\({name}\s+([^)]+)\)", read("CMakeLists.txt")).group(1).split()


# Lowest first: a folder may use itself and those before it.
CORE = folders("core_folders")
LAUNCHER_MAY_USE = {"core/base", "core/config/text", "core/config/schema", "core/config/recipe", "launcher"}
TORCH_FREE = {f"core/{name}" for name in CORE if name not in folders("engine_folders")} | {"core/kernels", "cli", "launcher"}
TORCH_HEADER = re.compile(r"(torch|ATen|c10)/|core/tensor/torch\.h$")

# (folder or file, folder it includes against the order): why. One that nothing uses any more is a breach too.
EXCEPTIONS: dict[tuple[str, str], str] = {}
UMBRELLAS = re.compile(r"(torch/(torch|types|all|extension|nn|optim|data)\.h|ATen/ATen\.h)$")
ONLY_IN = [  # header, where it may be included
    (re.compile(r"spdlog/"), re.compile(r"core/base/log\.cpp$")),
    (re.compile(r"CLI/"), re.compile(r"cli/")),
    (re.compile(r"yaml-cpp/"), re.compile(r"core/(config|families)/.*\.cpp$|tests/")),
    # The two folder headers hold parsed JSON by value and are included by four sources of their own folder only.
    (re.compile(r"nlohmann/json\.hpp"), re.compile(r".*\.cpp$|core/tokenizer/(hub|chat)_folder\.h$|core/families/field_setters\.h$")),
    (re.compile(r"torch/csrc/autograd/custom_function\.h"), re.compile(r"core/ops/")),
    (re.compile(r"xxhash\.h"), re.compile(r"core/base/hash\.cpp$")),
    (re.compile(r"(sqlite3\.h|curl/)"), re.compile(r"core/(store|io)/.*\.cpp$")),
]


def folder_of(path: str) -> str:
    """The row of the table that a file belongs to, the longest that fits; else its first folder."""
    rows = [f"core/{name}" for name in CORE if path.startswith(f"core/{name}/")]
    return max(rows, key=len, default=path.split("/")[0])


def order_breach(name: str, header: str) -> str | None:
    user, used = folder_of(name), folder_of(header)
    if user in ("tests", used) or used not in {"cli", "launcher"} | {f"core/{c}" for c in CORE}:
        return None
    for key in ((name, used), (user, used)):
        if key in EXCEPTIONS:
            used_exceptions.add(key)
            return None
    if user == "launcher":
        return None if used in LAUNCHER_MAY_USE else "launcher may use core/base and core/config"
    if user == "cli":
        return None if used in TORCH_FREE or header == "core/recipes/entry.h" else "cli must not reach into the engine"
    if used in ("cli", "launcher"):
        return f"core must not use {used}"
    if user.startswith("core/") and CORE.index(used[5:]) > CORE.index(user[5:]):
        return f"{user} stands before {used} in core_folders of CMakeLists.txt"
    return None


@functools.cache
def way_to_torch(name: str) -> tuple[str, ...] | None:
    """The headers by which a file of ours comes to include one of torch; None when none does."""
    for _, header in includes(name):
        if TORCH_HEADER.match(header):
            return (header,)
        if (ROOT / header).is_file() and (further := way_to_torch(header)) is not None:
            return (header, *further)
    return None


breaches = []
used_exceptions = set()
files = cpp_files()
for name in files:
    if folder_of(name) in TORCH_FREE and (way := way_to_torch(name)):
        breaches.append(f"{name}: {folder_of(name)} is torch-free; it includes {' -> '.join(way)}")
    for line, header in includes(name):
        if reason := order_breach(name, header):
            breaches.append(f"{name}:{line}: includes {header}: {reason}")
        if UMBRELLAS.search(header):
            breaches.append(f"{name}:{line}: includes {header}: include the operators in use instead")
        if name.endswith(".cu") and re.match(r"(torch|ATen|c10)/", header):
            breaches.append(f"{name}:{line}: includes {header}: kernels work on raw pointers")
        for wanted, places in ONLY_IN:
            if wanted.match(header) and not places.match(name):
                breaches.append(f"{name}:{line}: includes {header}: only allowed in {places.pattern}")
        if ".." in header.split("/"):
            breaches.append(f"{name}:{line}: includes {header}: write includes from the root")
breaches += [f"tests/lint/includes.py: exception {key} is not used" for key in EXCEPTIONS.keys() - used_exceptions]
report(breaches, len(files))
