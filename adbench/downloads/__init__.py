"""Bringing upstream files: from a mirror or their own addresses, whole and checked, or not at all."""
