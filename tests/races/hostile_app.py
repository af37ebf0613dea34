"""An app whose tasks damage the process that they run in."""

HOSTILE_APP = """
import asyncio
import ctypes
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

from celery import Celery

app = Celery("proj", broker="amqp://broker.invalid//", backend="redis://backend.invalid")
C = ctypes.CDLL(None)
SIG_IGN = ctypes.c_void_p(1)
DAEMON = "import os, time; os.fork() and os._exit(0); os.setsid(); time.sleep(3600)"
seen = set()


@app.task
def change_the_process():
    asyncio.run(asyncio.sleep(0.02))
    os.write(2, b"x" * 1_000_000)
    logging.getLogger("proj").error("y" * 100_000)
    if os.getpid() in seen:
        return
    seen.add(os.getpid())
    subprocess.run([sys.executable, "-S", "-c", DAEMON], check=True)
    threading.Thread(target=time.sleep, args=[3600]).start()
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        C.signal(signum, SIG_IGN)  # as signal.signal, which is for main threads only
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.chdir("/")
    os.environ.clear()
    time.monotonic = time.time = time.perf_counter = time.thread_time = lambda: 0.0
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__(one)
        self.lock = threading.Lock()

    def __str__(self):
        raise RuntimeError("this exception has no text")


@app.task
def answer(kind):
    time.sleep(0.02)
    if kind == "unserialisable":
        return threading.Lock()
    if kind == "unpicklable":
        raise Unpicklable(1, 2)


@app.task
def end_the_process():
    os._exit(3)


@app.task
def kill_the_group():
    os.killpg(0, signal.SIGKILL)


@app.task
def kill_the_parent():
    os.kill(os.getppid(), signal.SIGKILL)


@app.task
def fork():
    os.fork()


@app.task
def close_descriptors():
    os.closerange(3, 256)


@app.task
def write_to_descriptors():
    time.sleep(0.02)
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"[1, 2]\\\\n{unfinished")
        except OSError:
            pass


@app.task
def set_an_alarm():
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(60)


@app.task
def limit_resources():
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (2**20, 2**20))


@app.task
def raise_odd_exception():
    raise type("Odd", (BaseException,), {})("neither an error nor an exit")
"""
