"""Every error that pagesight raises on purpose.

Each message names the thing that failed, why, and the command or setting that fixes it.

    PagesightError
    ├── SourceError              a file or folder that was to be indexed
    │   ├── MissingPath
    │   ├── NoDocuments          a folder without any file that can be read
    │   └── UnreadableDocument   not what its name says, truncated, password-protected, without pages
    ├── PageIndexError           the index itself
    │   ├── IndexMissing
    │   ├── IndexInUse           another process holds it, or writes to it
    │   ├── ServerUnreachable    a Milvus server does not answer
    │   ├── LoginRefused         a Milvus server refuses the key or the password
    │   ├── EncoderMismatch      it was made with another encoder
    │   ├── VectorsMissing       a page's vectors are gone
    │   └── StorageFull
    ├── RequestError             what was asked for; the asker, also a model, can correct it
    │   ├── EmptyQuestion
    │   ├── UnknownDocument
    │   ├── UnknownPage          a label that no page has, or a number past the last page
    │   ├── BadRegion
    │   ├── ThreadInUse          another run is being answered in the same thread
    │   ├── BadToken             a word that is not in the query
    │   ├── BadCondition         a condition on metadata that cannot be read
    │   └── BadCorrection        of words that a page has not, or not once
    ├── MissingExtra             an optional package that the setting needs
    ├── SettingsError            a setting that cannot be used
    ├── EncoderError             a page encoder that cannot be loaded, or does not make usable vectors
    ├── QuestionsError           questions or a dataset for an evaluation that cannot be used
    └── ReasonerError            the language model
        ├── KeyRefused
        ├── AnswerBlocked        the model's provider blocked the prompt or the answer
        ├── EmptyAnswer
        │   └── AnswerWaits      a run waits for a person's word before it goes on
        └── AnswerCutOff         the connection ended in the middle of the answer
"""


class PagesightError(Exception):
    """Base of all errors that pagesight raises on purpose."""


class IndexWarning(UserWarning):
    """Something in an index cannot be used and is left out; the rest can."""


class SourceError(PagesightError):
    """A file or folder cannot be indexed."""


class MissingPath(SourceError):
    """There is nothing at the path."""


class NoDocuments(SourceError):
    """The folder holds no file that pagesight reads."""


class UnreadableDocument(SourceError):
    """The file cannot be opened as a document."""


class PageIndexError(PagesightError):
    """The index cannot be used."""


class IndexMissing(PageIndexError):
    """There is no index at the place."""


class IndexInUse(PageIndexError):
    """Another process holds the index, or writes to it."""


class ServerUnreachable(PageIndexError):
    """The Milvus server does not answer."""


class LoginRefused(PageIndexError):
    """The Milvus server refuses the key or the password."""


class EncoderMismatch(PageIndexError):
    """The index was made with another encoder."""


class VectorsMissing(PageIndexError):
    """The vectors of a page are gone."""


class StorageFull(PageIndexError):
    """The disk that holds the index is full."""


class RequestError(PagesightError):
    """The request asks for something that is not there; its message says what is."""


class EmptyQuestion(RequestError):
    """The question has no words."""


class UnknownDocument(RequestError):
    """No document in the index has the name."""


class UnknownPage(RequestError):
    """No page in the index has the label."""


class BadRegion(RequestError):
    """The region is out of bounds, inverted or too small."""


class BadCondition(RequestError):
    """The condition on metadata cannot be read."""


class BadCorrection(RequestError):
    """The words to correct are not on the page, or it is not clear which are meant."""


class ThreadInUse(RequestError):
    """Another run is being answered in the same thread, and did not end in time."""


class BadToken(RequestError):
    """No token of the query is the word."""


class MissingExtra(PagesightError):
    """An optional package is not installed."""


class SettingsError(PagesightError):
    """A setting cannot be used."""


class EncoderError(PagesightError):
    """The page encoder, or the reranker, cannot be loaded or reached, or gives nothing that can be used."""


class QuestionsError(PagesightError):
    """Questions, or a dataset, cannot be used for an evaluation."""


class ReasonerError(PagesightError):
    """The language model did not answer: what was ``said`` of it, and the ``fix`` where that is known apart from it."""

    def __init__(self, said: str, fix: str = ""):
        super().__init__(f"{said}: {fix}" if fix else said)
        self.said = said
        self.fix = fix


class KeyRefused(ReasonerError):
    """The provider refused the key."""


class AnswerBlocked(ReasonerError):
    """The provider blocked the prompt or the answer."""


class EmptyAnswer(ReasonerError):
    """The model returned nothing."""


class AnswerWaits(EmptyAnswer):
    """There is no answer yet: the run waits for a word; ``value`` is what it asks. `resume` goes on with it."""

    def __init__(self, message: str, value: object = None):
        super().__init__(message)
        self.value = value


class AnswerCutOff(ReasonerError):
    """The answer broke off before its end."""
