"""The index over MCP, by the SDK's own client: search, then look at the best page. Needs the extra `mcp`.

python docs/examples/mcp_client.py my-index "net revenue 2023"
"""

import asyncio
import base64
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main(index: str, query: str) -> None:
    """Start `pagesight mcp` and print what it finds and shows."""
    command = [sys.executable, "-m", "pagesight.agent.cli", "mcp", "--index", index]
    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        found = await session.call_tool("search_pages", {"query": query, "top_k": 1})
        print(found.content[0].text)

        best = found.structuredContent["hits"][0]
        seen = await session.call_tool("view_pages", {"pages": [best["label"]], "region": best["regions"][0]})
        for block in seen.content:
            if block.type == "image":
                print(f"{block.mimeType}, {len(base64.b64decode(block.data))} bytes")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
