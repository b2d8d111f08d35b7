"""The assets, checks, jobs and schedules, a module a group; thin: read, call, write, report."""
