"""Groups the skipped tests of a ctest run by reason: skips.py RESULTS.xml ALLOWED.txt

A test gives its reason with GTEST_SKIP() << "reason", or, a script, with a last line "SKIP: reason" and exit status 77.
Status 1 when a reason matches no line (regular expression) of ALLOWED.txt.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree


def reason_of(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    for line in reversed(lines):
        if line.startswith("SKIP: "):
            return line.removeprefix("SKIP: ")
    for place, line in enumerate(lines[:-1]):
        if line.endswith(": Skipped"):  # GoogleTest: "file:line: Skipped", then the message
            return lines[place + 1] or "no reason given"
    return "no reason given"


def skipped_tests(results: pathlib.Path) -> dict[str, list[str]]:
    by_reason = collections.defaultdict(list)
    for case in xml.etree.ElementTree.parse(results).getroot().iter("testcase"):
        if case.get("status") == "disabled":
            by_reason["disabled in the source"].append(case.get("name"))
        elif case.find("skipped") is not None:
            by_reason[reason_of(case.findtext("system-out") or "")].append(case.get("name"))
    return by_reason


def main() -> int:
    results, allowed_file = map(pathlib.Path, sys.argv[1:3])
    allowed = [line for line in allowed_file.read_text().splitlines() if line and not line.startswith("#")]
    by_reason = skipped_tests(results)
    print(f"skipped tests: {sum(map(len, by_reason.values()))}")
    refused = 0
    for reason, names in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        ok = any(re.fullmatch(pattern, reason) for pattern in allowed)
        refused += not ok
        print(f"  {len(names):4}  {reason}" + ("" if ok else "   <- not allowed by tests/skips.txt"))
        print(f"        {', '.join(names[:4])}" + (f" and {len(names) - 4} more" if len(names) > 4 else ""))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
