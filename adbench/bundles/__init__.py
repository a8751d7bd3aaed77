"""Bundles: results that are given to others, as one file that anybody can check.

::

    NAME.adbench.zip             members stored as they are: they are compressed themselves
      manifest.json              versions, counts, runs and their machines, licences, sha256 of each member
      records.parquet            one row a planned trial: its label, its status, its record as JSON
      index.parquet              one row an array of a trial: key, name, number of the array
      arrays.parquet             one row an array, in order of their numbers: group, dtype, shape, sha256
      GROUP-DTYPE-0001.parquet   the values of the arrays of a group and dtype, one array after the other
      numbers.parquet            the long form of ``adbench export``: what ``adbench verify`` recomputes

An array that several trials share, such as labels, is there once. A bundle is read as what it is:
data from somebody else. No member is unpacked, nothing in it is run, and sizes are looked at before
anything is read.
"""
