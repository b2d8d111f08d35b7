"""The files that a reader opens: `department_map`, `word_cloud` and `report`."""
