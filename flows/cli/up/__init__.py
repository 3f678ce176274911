"""`broadsheet up`: a Prefect server, the deployments of prefect.yaml and a worker on this machine, until it is stopped.

The server and the worker are separate processes. This one talks to the server with Prefect's client, which it imports
under the same environment as theirs: neither the shell's PREFECT_* variables nor the current folder reach it.
"""
