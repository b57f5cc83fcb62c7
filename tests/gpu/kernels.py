"""Time by kernel of a trace that `profile.file` wrote: kernels.py TRACE [rows]"""
import collections
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    kernels = [e for e in events if e.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
    if not kernels:
        sys.exit("the trace has no device activity")
    time, count = collections.Counter(), collections.Counter()
    for event in kernels:
        time[event["name"]] += event["dur"]
        count[event["name"]] += 1
    span = max(e["ts"] + e["dur"] for e in kernels) - min(e["ts"] for e in kernels)
    busy = sum(time.values())
    print(f"{span / 1e3:.1f} ms from first to last kernel, {busy / 1e3:.1f} ms of kernels ({100 * busy / span:.1f} %)")
    for name, microseconds in time.most_common(int(sys.argv[2]) if len(sys.argv) > 2 else 25):
        print(f"{100 * microseconds / span:5.1f} %  {microseconds / 1e3:9.2f} ms  {count[name]:6d} x  {name[:110]}")
    waits = collections.Counter(e["name"] for e in events if "ynchronize" in e.get("name", ""))
    print("host waits:", dict(waits) or "none")


if __name__ == "__main__":
    main()
