#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Deletes each <dir>."""
import shutil

from directives import children, directive, text

for remove in directive("post-rm-rf"):
    for directory in children(remove, "dir"):
        shutil.rmtree(text(directory))
