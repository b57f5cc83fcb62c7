"""Collects comparisons: all are made, the failed ones are listed, the largest errors are printed."""
import math
import sys


def skip(reason: str):
    print(f"SKIP: {reason}")
    sys.exit(77)


class Checks:
    def __init__(self):
        self.failures = []
        self.largest = {}  # name -> (error, bound, where)
        self.count = 0

    def true(self, condition, message: str):
        self.count += 1
        if not condition:
            self.failures.append(message)

    def equal(self, what: str, ours, expected):
        self.true(ours == expected, f"{what}: expected {expected!r}, got {ours!r}")

    def close(self, name: str, where: str, ours: float, expected: float, relative=None, absolute=None):
        """`name` groups comparisons in the table of errors; `where` says which one this is."""
        error = abs(ours - expected)
        bound = absolute
        if relative is not None:
            error, bound = error / max(abs(expected), 1e-300), relative
        if not math.isfinite(ours):
            error = math.inf
        if name not in self.largest or error > self.largest[name][0]:
            self.largest[name] = (error, bound, where)
        self.true(error <= bound, f"{where}: {name} expected {expected!r}, got {ours!r} (error {error:.2e}, bound {bound:.3g})")

    def finish(self):
        for name, (error, bound, where) in self.largest.items():
            print(f"largest error of {name}: {error:.2e} (bound {bound:.3g}) at {where}")
        print(f"{self.count} comparisons, {len(self.failures)} failed")
        for message in self.failures[:20]:
            print(f"FAILED {message}")
        if len(self.failures) > 20:
            print(f"... and {len(self.failures) - 20} more")
        sys.exit(1 if self.failures else 0)
