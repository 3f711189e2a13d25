"""The command line: one file per command, over the composition root and the client.

May import: everything. Nothing imports it but `scheduler.__main__`.

Words: a command's name is its module's name. Results go to stdout and are plain when piped; a *complaint*
is one line on stderr, and the exit code says which kind it was (`complaint.py`).
"""
