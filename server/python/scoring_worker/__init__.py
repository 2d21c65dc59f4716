"""The worker of entry scripts in Python: the other end of server/ipc/README.md."""
