"""Reading what a server answers us, up to a limit: nobody whom we ask may fill our memory."""

import aiohttp


async def read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The whole body; None when it is longer than `limit` bytes, and then the connection is given up.

    Bounded in size here, in time by the caller. Raises what aiohttp raises.
    """
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > limit:
            response.close()
            return None
    return bytes(body)
