"""Bodies as they come over HTTP, in files that say what they are."""

from dataclasses import dataclass
from pathlib import Path

from tests.vectors.topics import Topic

FILES = tuple(sorted(Path(__file__).parent.glob("*.txt")))


@dataclass(frozen=True)
class Raw:
    """A self-describing file: `name: value` lines, an empty line, the HTTP body."""

    name: str
    comment: str
    topic: Topic
    agreement: str
    expect: str
    answer: str
    content_type: str
    body: bytes

    @classmethod
    def read(cls, path: Path) -> "Raw":
        head, _, body = path.read_bytes().partition(b"\n\n")
        lines = dict(line.split(": ", 1) for line in head.decode().splitlines())
        if lines.pop("line-ends", "lf") == "crlf":
            body = body.replace(b"\n", b"\r\n")
        names = {name.replace("-", "_"): value for name, value in lines.items()}
        return cls(name=path.stem, topic=Topic(names.pop("topic")), body=body, **names)
