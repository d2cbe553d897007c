"""Packs a definition with its data into one file, and unpacks it again.

Runs as a program of its own in Podman's user namespace (``podman unshare``), where the files
of a container's accounts can be read and created with their owners. People in the container
wrote these files and may change them meanwhile, and an archive may come from anywhere. So both
directions open folder after folder by descriptor and never follow a link.

The file is a gzipped tar archive; its last member, ``manifest.json``, holds the SHA-256 of
each file. Exit codes are those of ``ananke.errors``.
"""
