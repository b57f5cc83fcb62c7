"""A clock that jumps by years at every look, to and fro: the same losses, the right order, no negative time."""
import os
import pathlib
import subprocess
import tempfile

from faults import Place, check, equal, failures, finish, goes_on, losses

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

static long jump(void) {
  static int looks;
  const int n = __atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
  return (n % 2 ? 1 : -1) * 40000000L * (1 + n % 7);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  const int status = real(clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += jump();
  return status;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
"""

uninterrupted = Place()
equal("with a clock that goes", uninterrupted.train()[0], 0)
with tempfile.TemporaryDirectory() as folder:
    source, shim = pathlib.Path(folder) / "shim.c", pathlib.Path(folder) / "shim.so"
    source.write_text(SHIM)
    subprocess.run(["g++", "-x", "c", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    place = Place()
    equal("first half", place.train("--step_scheduler.max_steps", "3", LD_PRELOAD=str(shim))[0], 0)
    # A checkpoint of a time to come must not win against a later step.
    far = 4_000_000_000
    for path in [place.run / "epoch_0_step_2", *(place.run / "epoch_0_step_2").rglob("*")]:
        os.utime(path, (far, far), follow_symlinks=False)
    status, log = place.train(LD_PRELOAD=str(shim))
    equal("second half", (status, log[-500:] if status else ""), (0, ""))

lines = place.lines()
stamps = [line["timestamp"] for line in lines]
check(stamps != sorted(stamps), f"the shim does not work: {stamps}")
equal("steps", [line["step"] for line in lines], list(range(6)))
equal("losses, to the bit", losses(lines), losses(uninterrupted.lines()))
check(all(line["tps"] > 0 for line in lines), "tokens per second follow the clock")
runs = place.json("runs", "list")
equal("runs, newest first", [(run["number"], run["state"], run["first_step"], run["last_step"]) for run in runs],
      [(2, "done", 3, 5), (1, "done", 0, 2)])
check(all(0 < run["seconds"] < 600 for run in runs), f"seconds: {[run['seconds'] for run in runs]}")
equal("LATEST", (place.run / "LATEST").readlink().name, "epoch_0_step_5")
goes_on("a clock that goes again", place, uninterrupted)
finish(failures, "a clock that jumps")
