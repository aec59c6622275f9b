"""Clock, threads, sockets, files: what runs the sources and serves what the measures say."""
