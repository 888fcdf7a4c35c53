"""Each library, in the use that its documentation shows: `publish`, `receive`, and `both` in one process."""
