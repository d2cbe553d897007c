"""Packs a definition with its data into one file, and unpacks it again.

Run as a program of its own inside Podman's user namespace (``podman unshare``), where the
files of a container's accounts can be read and made with their owners. What lies there was
written by people in the container, who may change it meanwhile; and an archive may come from
anywhere. So both ways go from folder to folder by descriptor and never through a link.

The file is a gzipped tar archive; its last member, ``manifest.json``, has the SHA-256 of
each file. Exit codes are those of ``ananke.errors``.
"""
