#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies each <dircopy> to a directory with the date in its name, as virt-parts does: brought to disk, and
under its name only when it is whole."""
import os
import shutil
import time

from directives import children, directive, text


def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def sync_tree(top):
    for directory, _, files in os.walk(top, topdown=False):
        for file in files:
            sync(os.path.join(directory, file))
        sync(directory)


for archive in directive("archive"):
    dates = {"%DATE%": "%Y-%m-%d"}
    for datestr in children(archive, "datestr"):
        dates[text(datestr, "replace")] = text(datestr, "format")
    for copy in children(archive, "dircopy"):
        destination = text(copy, "dst")
        for replace, form in dates.items():
            destination = destination.replace(replace, time.strftime(form))
        shutil.copytree(text(copy, "src"), destination + ".new", symlinks=True)
        sync_tree(destination + ".new")
        os.rename(destination + ".new", destination)
        sync(os.path.dirname(destination))
