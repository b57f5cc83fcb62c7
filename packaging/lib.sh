# Shared by the scripts of this folder; sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${AUTOMODEL_DEPS:-$root/.deps}
site() { printf '%s\n' "$deps"/venv/lib/python3*/site-packages; }

say() { printf '%s\n' "$*" >&2; }

# say what could not be had and how to get it; the caller ends with status 1.
lack() {
  printf 'missing: %s\n' "$1" >&2
  printf '    get it: %s\n' "$2" >&2
}

num_cores() { nproc 2>/dev/null || echo 2; }

# By the driver's device: nvidia-smi may be missing in a container.
has_gpu() { [[ -e /dev/nvidiactl ]]; }
