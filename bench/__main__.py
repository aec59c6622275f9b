"""Every bench, one after another: `make bench`. `bench/README.md` keeps the last tables."""

from __future__ import annotations

from bench import ingest, scrape

scrape.main()
ingest.main()
