"""The meter's own pages: made on the server, whole without scripts, with nothing from other hosts."""
