"""One agent for all who ask: each call has a context, a config and a thread of its own. Works without a key.

Documents say whose they are: `pagesight index files/ --meta tenant=acme`.

python docs/examples/many_tenants.py my-index "How high was the net revenue in 2023?" acme globex
"""

import asyncio
import sys
from typing import Any

from pagesight.agent import aask, create_page_agent


async def main(index: str, question: str, *tenants: str, model: Any = None) -> None:
    """Ask for each tenant at the same time; each sees its own documents only."""
    agent = create_page_agent(index, model=model)
    asked = (
        aask(agent, question, context={"tenant": tenant}, config={"tags": [tenant], "metadata": {"tenant": tenant}})
        for tenant in tenants
    )
    for tenant, answer in zip(tenants, await asyncio.gather(*asked), strict=True):
        print(f"{tenant}: found in {sorted({hit.document for hit in answer.hits})}, run {answer.run_id}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
