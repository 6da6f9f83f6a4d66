# SPDX-License-Identifier: MIT
"""Whether people can read what a browser shows: the devices, the contrast of two colours, texts that lie on each other."""

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844, "phone": True}
EVERY_LOOK = [{**device, "dark": dark} for device in (DESKTOP, PHONE) for dark in (False, True)]


def luminance(colour):
    def linear(byte):
        part = byte / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return sum(weight * linear(byte) for weight, byte in zip((0.2126, 0.7152, 0.0722), colour))


def contrast(a, b):
    """As the Web Content Accessibility Guidelines count it."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def overlap(a, b):
    # A line's boxes may touch and, with fonts of several heights, share a little.
    across = min(a["right"], b["right"]) - max(a["left"], b["left"])
    down = min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])
    return across > 1 and down > 3
