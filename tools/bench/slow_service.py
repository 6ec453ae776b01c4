"""A service in its own process: healthy at once, and everything below `/smoke/` responds after 20 ms.

Its first line of output is its address; when its input ends, its last line says how long smoke requests kept
it busy, how many there were, and how many were concurrent.
"""

import asyncio
import json
import sys
import time

SECONDS = 0.020
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
_BODY = b'{"status": "ready"}'


class _Service:
    def __init__(self) -> None:
        self._asked: list[float] = []
        self._answered: list[float] = []
        self._most = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        slow = head.split()[1].startswith(b"/smoke/")
        if slow:
            self._asked.append(time.monotonic())
            self._most = max(self._most, len(self._asked) - len(self._answered))
            await asyncio.sleep(SECONDS)
        writer.write(_HEAD % (len(_BODY), _BODY))
        await writer.drain()
        if slow:
            self._answered.append(time.monotonic())
        writer.close()

    def report(self) -> dict[str, float]:
        return {
            "requests": len(self._answered),
            "most at once": self._most,
            "seconds": max(self._answered, default=0.0) - min(self._asked, default=0.0),
        }


async def _serve() -> None:
    service = _Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        print(f"http://{host}:{port}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(service.report()), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
