#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds each <iso> and copies each <dircopy> at prepare, and removes the images at release."""
import os
import shutil
import subprocess
import tempfile

from directives import children, directive, name, operation, text


def build(iso, path):
    with tempfile.TemporaryDirectory() as inline:
        for file in children(iso, "file"):
            with open(os.path.join(inline, file.get("path")), "w", encoding="utf-8") as out:
                out.write(text(file))
        sources = [text(src) for src in children(iso, "src")]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run(
            ["genisoimage", "-quiet", "-R", "-J", "-V", iso.get("label"), "-o", path, inline, *sources],
            check=True,
        )


for preload in directive("preload"):
    for iso in children(preload, "iso"):
        image = iso.get("path").replace("%NAME%", name)
        if operation == "prepare":
            build(iso, image)
        else:
            os.remove(image)
    if operation == "prepare":
        for copy in children(preload, "dircopy"):
            shutil.copytree(text(copy, "src"), text(copy, "dst"), symlinks=True, dirs_exist_ok=True)
