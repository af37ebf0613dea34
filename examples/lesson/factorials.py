"""Three coroutines compute 2!, 3! and 4!, and wait one second before each multiplication.

They share one thread. While one of them waits, another one runs: all three take the three seconds
of the longest, not the six seconds of all waits. The counterpart:

    producer run factorial --start 2 --stop 5 --local coroutines
"""

import asyncio

WAIT_S = 1.0


async def factorial(number: int) -> int:
    """Return the factorial of the number; await ``WAIT_S`` before each multiplication."""
    product = 1
    for factor in range(2, number + 1):
        print(f"{number}!: {product} * {factor} follows")
        await asyncio.sleep(WAIT_S)
        product *= factor
    print(f"{number}! = {product}")
    return product


async def main() -> None:
    """Await the three factorials at the same time, and print their sum."""
    print(f"Result: {sum(await asyncio.gather(factorial(2), factorial(3), factorial(4)))}")


if __name__ == "__main__":
    asyncio.run(main())
