#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies each <dircopy> to a directory with the date in its name."""
import shutil
import time

from directives import children, directive, text

for archive in directive("archive"):
    dates = {"%DATE%": "%Y-%m-%d"}
    for datestr in children(archive, "datestr"):
        dates[text(datestr, "replace")] = text(datestr, "format")
    for copy in children(archive, "dircopy"):
        destination = text(copy, "dst")
        for replace, form in dates.items():
            destination = destination.replace(replace, time.strftime(form))
        shutil.copytree(text(copy, "src"), destination, symlinks=True)
