"""What callbacks, LangSmith and OpenTelemetry see of a call: names and sizes of pictures, never bytes.

python docs/examples/traced_without_pictures.py my-index "How high was the net revenue in 2023?"
"""

import sys
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from pagesight.agent import ask, create_page_agent


class Pictures(BaseCallbackHandler):
    """Prints what stands in the place of pictures."""

    def on_chat_model_start(self, serialized: Any, messages: Any, **_: Any) -> None:
        """Each call of the model."""
        contents = [message.content for batch in messages for message in batch if isinstance(message.content, list)]
        for block in (block for content in contents for block in content if "[picture" in block.get("text", "")):
            print(block["text"])


def main(index: str, question: str, model: Any = None) -> None:
    """Ask one question; `create_page_agent(…, trace_pictures=True)` would trace the bytes too."""
    print(ask(create_page_agent(index, model=model), question, config={"callbacks": [Pictures()]}).text)


if __name__ == "__main__":
    main(*sys.argv[1:])
