"""Run a command; print its peak resident memory in bytes.

    python benchmarks/peak.py COMMAND...

A process of its own, and a small one: the kernel counts for a child from the start what
its parent held.
"""

import os
import subprocess
import sys

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def main() -> int:
    """Return the exit status of the command; what it prints is dropped."""
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    # not getrusage(RUSAGE_CHILDREN): wait4 knows this child alone
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    sys.stdout.write(f"{usage.ru_maxrss * _MAXRSS_BYTES}\n")
    return 0 if process.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
