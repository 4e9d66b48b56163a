#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mounts a tmpfs on each <dir> at prepare, and unmounts it at release."""
import os
import subprocess

from directives import children, directive, operation, text

for ramdisk in directive("ramdisk"):
    for directory in children(ramdisk, "dir"):
        path = text(directory)
        if operation == "prepare":
            os.makedirs(path, exist_ok=True)
            options = f"size={directory.get('size')},mode={directory.get('mode')},nosuid,nodev,noexec"
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
        else:
            subprocess.run(["umount", path], check=True)
