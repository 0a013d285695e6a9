"""One typed error tree: a class for each thing that a caller may want to catch."""

from __future__ import annotations

from catalog.message import as_message


class CatalogError(Exception):
    """Root of every error that the catalog raises on purpose.

    The message says what was wrong, the value, what is allowed and what to do next;
    the command line prints it in one piece and exits with `exit_code`. Whatever text of a file or a user it quotes, it
    is safe to show and of a length to read; see `catalog.message.as_message`.
    """

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        super().__init__(as_message(str(message)))


class UsageError(CatalogError):
    """The caller asked for something that does not exist or does not fit together."""

    exit_code = 2


class UnknownSpaceError(UsageError):
    """No search space of this name is defined or stored."""


class UnknownColumnError(UsageError):
    """A space's wide view has no column of this name."""


class UnknownOperatorError(UsageError):
    """No operator of this name is in the vocabulary."""


class UnknownProxyError(UsageError):
    """No proxy of this name is built in or installed as a plug-in."""


class DatasetError(UsageError):
    """An image data set of this name does not exist, or its folder does not hold it."""


class IdentifierError(UsageError):
    """A text or object names no architecture of the space."""


class ForeignGenotypeError(IdentifierError):
    """A genotype is well formed, but of another space than DARTS.

    Attributes
    ----------
    reason
        What makes it foreign, as the end of a sentence: the same words for every genotype of which it is true.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class EncoderError(UsageError):
    """No sentence encoder of this name or folder is on this machine, or it is not the one that is meant."""


class PatternError(UsageError):
    """A graph pattern cannot be parsed or names something unknown."""


class GraphError(CatalogError):
    """A graph breaks a rule: a cycle, a dangling edge, no input, two outputs."""


class IngestError(CatalogError):
    """An input file cannot be trusted or understood; nothing of it was stored."""


class SpaceFileError(CatalogError):
    """The description of a search space says something that no space can be; nothing of it was stored."""


class UserCodeError(CatalogError):
    """Python code that the user named, a module or a plug-in, failed."""


class DownloadError(CatalogError):
    """An official file cannot be fetched, or what came is not the file that was published."""


class StoreError(CatalogError):
    """The database file cannot be opened, read or written."""


class MissingDatabaseError(StoreError):
    """There is no database at this path."""


class LockedError(StoreError):
    """Another process holds the database file.

    Attributes
    ----------
    process_id
        The process that holds the file, where the system tells.
    """

    def __init__(self, message: str, process_id: int | None = None) -> None:
        super().__init__(message)
        self.process_id = process_id


class SchemaVersionError(StoreError):
    """The file was written by an older or newer version of the catalog."""


class QueryError(CatalogError):
    """A user's SQL failed, was refused, or ran out of time or memory."""


class LimitError(QueryError):
    """A user's SQL took more time or memory than it may.

    Attributes
    ----------
    what
        What it took, as a sentence; the message goes on with what to do.
    """

    def __init__(self, message: str, what: str = "") -> None:
        super().__init__(message)
        self.what = what


class ConditionError(QueryError):
    """A condition that a user gave as ``where`` is none, was refused, or failed."""

    exit_code = 2


class BusyError(CatalogError):
    """A server does as much as it can already."""


class ProxyError(CatalogError):
    """A proxy has no value for this network; the message is the reason that is stored with the failed score."""


class MissingExtraError(CatalogError):
    """A command needs an optional dependency group that is not installed."""


class WorkerError(CatalogError):
    """A process that worked for a job died; what the job had finished before is stored."""
