"""Texts that look like documents and texts that look like nothing."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A law holds however busy the machine is."""

PARTS = [
    "Prime Minister Ishiba spoke. ",
    "Mr. ",
    "U.S.-Japan ",
    "5 p.m. ",
    "e.g. ",
    "“Yes.” ",
    "Why? No! ",
    "word ",
    "x" * 400,
    "石破首相は電話した。",
    "「はい」",
    "قال. ",
    "👩‍👩‍👧 ",
    "é",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\n# Heading\n",
    "\n- item",
    "\n2. second",
    "\t",
    " ",
    "　",
    "\x00",
    "\x1c",
    "\x85",
    "\u2028",
    "\ufeff",
    "...",
    ".",
]
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=8), max_size=60).map("".join)
