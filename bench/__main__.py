"""Every bench, one after another: `make bench`. `bench/README.md` keeps the last tables."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("scrape", "decode", "ingest", "store", "measures", "delivery", "pages", "tickets", "generate", "sweep")
# Each in a process of its own: a child's peak memory is at least that of who started it.
codes = [subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in NAMES]
sys.exit(max(codes))
