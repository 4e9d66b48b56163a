# SPDX-License-Identifier: GPL-2.0-or-later
"""What the peers' parts have in common: the guest's directives, its name put in."""
import sys
import xml.etree.ElementTree as ElementTree

NAMESPACE = "{urn:virt-parts:1}"
name, operation = sys.argv[1:3]
_domain = ElementTree.parse(sys.stdin)


def directive(wanted):
    return _domain.findall(f"metadata/{NAMESPACE}virt-parts/{NAMESPACE}{wanted}")


def children(element, wanted):
    return element.findall(NAMESPACE + wanted)


def text(element, wanted=None):
    if wanted:
        element = element.find(NAMESPACE + wanted)
    return element.text.strip().replace("%NAME%", name)
