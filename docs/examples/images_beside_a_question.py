"""An image beside a question, such as a photo of a machine whose manual is indexed. Needs a model that sees pictures.

python docs/examples/images_beside_a_question.py my-index "Which pump is that?" photo.jpg
"""

import sys
from typing import Any

from pagesight.agent import ask, create_page_agent


def main(index: str, question: str, *images: str, model: Any = None) -> None:
    """Ask one question with its images."""
    print(ask(create_page_agent(index, model=model), question, images=images).text)


if __name__ == "__main__":
    main(*sys.argv[1:])
