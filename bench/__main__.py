"""Every bench, one after another: `make bench`. `bench/README.md` keeps the last tables."""

from __future__ import annotations

from bench import generate, ingest, measures, scrape

scrape.main()
ingest.main()
measures.main()
generate.main()
