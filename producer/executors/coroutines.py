"""``coroutines``: asyncio in one thread, which changes chunks only when a chunk waits."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from poolrace.producer.executors.base import LocalExecutor
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute_async


class Coroutines(LocalExecutor):
    """Runs each chunk as an asyncio task, in an event loop that runs during ``collect``."""

    name = "coroutines"

    def start(self) -> None:
        """Create the event loop."""
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._free_slots = asyncio.Semaphore(self.slots)
        self._tasks: dict[asyncio.Task[ChunkResult], Chunk] = {}
        self._done: asyncio.Queue[asyncio.Task[ChunkResult]] = asyncio.Queue()

    def close(self) -> None:
        """Cancel the unfinished tasks and close the event loop."""
        for task in self._tasks:
            task.cancel()
        # A run that a signal interrupted may have left a pending stop() in the loop, which
        # would stop the runner's own cleanup.
        with suppress(RuntimeError):
            self._loop.run_until_complete(asyncio.sleep(0))
        self._runner.close()
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.exception()  # else asyncio logs an exception that was never retrieved

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Create a task for each chunk; at most ``slots`` of them run at a time."""
        self._loop.call_soon_threadsafe(self._create_tasks, chunks)

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Run the event loop until a task is done."""
        done = self._runner.run(self._wait(timeout_s))
        return [self._result(task, self._tasks.pop(task)) for task in done]

    def _create_tasks(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            task = self._loop.create_task(self._compute(chunk))
            task.add_done_callback(self._done.put_nowait)
            self._tasks[task] = chunk

    async def _compute(self, chunk: Chunk) -> ChunkResult:
        async with self._free_slots:
            return await compute_async(self.job.workload, chunk, self.host)

    async def _wait(self, timeout_s: float) -> list[asyncio.Task[ChunkResult]]:
        done = []
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                done.append(await self._done.get())
        while not self._done.empty():
            done.append(self._done.get_nowait())
        return done

    def _result(self, task: asyncio.Task[ChunkResult], chunk: Chunk) -> ChunkResult:
        try:
            return task.result()
        except Exception as error:
            raise self.chunk_error(chunk, error) from error
