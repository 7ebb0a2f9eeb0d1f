"""The index's MCP tools in a graph of yours, by langchain-mcp-adapters. Needs GOOGLE_API_KEY and the extra `mcp`.

Unlike the agent's own tools these put the pictures into the conversation, and so into its checkpoint.

    pagesight mcp --index my-index --http --token TOKEN
    python docs/examples/mcp_in_graph.py http://127.0.0.1:8365/mcp TOKEN "How high was the net revenue in 2023?"
"""

import asyncio
import sys
from typing import Any

from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_mcp_adapters.client import MultiServerMCPClient
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from pagesight.agent import with_fitted_requests


async def main(address: str, token: str, question: str) -> None:
    """Ask a model that has the three tools one question and print its answer."""
    headers = {"Authorization": f"Bearer {token}"}
    client = MultiServerMCPClient({"pagesight": {"transport": "streamable_http", "url": address, "headers": headers}})
    tools = await client.get_tools()
    model = with_fitted_requests(ChatGoogleGenerativeAI(model="gemini-3.8-flash")).bind_tools(tools)

    async def assistant(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("assistant", assistant)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "assistant")
    graph.add_conditional_edges("assistant", tools_condition)
    graph.add_edge("tools", "assistant")

    result = await graph.compile().ainvoke({"messages": [("user", question)]})
    print(result["messages"][-1].text)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
