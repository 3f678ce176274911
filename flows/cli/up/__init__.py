"""`broadsheet up`: a Prefect server, the deployments of prefect.yaml and a worker on this machine, until it is stopped.

Prefect runs in separate processes, driven by its commands and its API: importing it here would take two seconds and
read the settings of the shell and of the current folder.
"""
