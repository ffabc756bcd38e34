"""A reader that misbehaves in the way its file is called."""

import os
import signal
import time


def read(path, *, origin):
    if path.name == "memory":
        return [bytearray(10**9) for _ in range(10)]
    if path.name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.name == "sleep":
        time.sleep(60)
    while True:
        pass
