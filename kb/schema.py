"""The tables of the library: `library.sqlite` is the truth, everything else can be rebuilt from it.

documents hold the whole normalised text; passages are spans of it; vectors belong to passages; aliases, links, exact
identifiers and literature claims belong to documents. `documents.id` is the note's own id, or for other documents a
slug; `passages.number` is the row of the full-text table `passages_fts` (FTS5, created by the migration because
SQLAlchemy has no words for it; what is searched there is in `kb.lexical`). This module does not know how anything is searched.
"""

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD = "library_1"


class Base(DeclarativeBase):
    """Declarative base of the library's tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012  # SQLAlchemy reads this attribute


class DocumentRow(Base):
    """A document as it was ingested. `front` is the whole front matter; columns are what filters and ranking read."""

    __tablename__ = "documents"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    title: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    content_hash: Mapped[str]
    origin: Mapped[str] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(index=True)
    language: Mapped[str]
    canonical_id: Mapped[str | None]
    duplicate_of: Mapped[str | None]
    category: Mapped[str | None]
    status: Mapped[str | None]
    trust: Mapped[str | None]
    confidence: Mapped[float | None] = mapped_column(Float)
    verification: Mapped[str | None]
    year: Mapped[int | None]
    arxiv: Mapped[str | None] = mapped_column(index=True)
    url: Mapped[str | None]
    tags: Mapped[list[str]]
    models: Mapped[list[str]]
    front: Mapped[dict[str, Any]]
    problems: Mapped[list[str]]


class PassageRow(Base):
    """A span of a document's text; `number` is its row in `passages_fts` and `vectors`."""

    __tablename__ = "passages"
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    ordinal: Mapped[int]
    heading: Mapped[str]
    start: Mapped[int] = mapped_column("start_at")
    end: Mapped[int] = mapped_column("end_at")
    page: Mapped[int | None]
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy reads this attribute


class VectorRow(Base):
    """A passage's vectors (float32, little endian): part 0 of its text, further ones of its document's questions (on the
    first passage only). `key` hashes the embedder's name and the text that was embedded."""

    __tablename__ = "vectors"
    number: Mapped[int] = mapped_column(ForeignKey("passages.number", ondelete="CASCADE"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class AliasRow(Base):
    """A name a document goes by. `key` is `kb.text.name_key` of it; `rank` 0 is an id, 1 a title, 2 an alias."""

    __tablename__ = "aliases"
    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    rank: Mapped[int]
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy reads this attribute


class LinkRow(Base):
    """A link as written in a note; whether its target exists is asked when it is read."""

    __tablename__ = "links"
    number: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    target_key: Mapped[str] = mapped_column(index=True)
    target: Mapped[str]


class IdentifierRow(Base):
    """An exact identifier in a passage: an arXiv id, a head (`9.9`), a hook name."""

    __tablename__ = "identifiers"
    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    passage: Mapped[int] = mapped_column(ForeignKey("passages.number", ondelete="CASCADE"), index=True)
    __table_args__ = (Index("identifiers_key", "key"),)


class ClaimRow(Base):
    """A literature claim from a note's front matter."""

    __tablename__ = "literature_claims"
    id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    ordinal: Mapped[int]
    fields: Mapped[dict[str, Any]]


class SettingRow(Base):
    """One fact about the library as a whole: the index generation, its embedder, the starter notes' hash."""

    __tablename__ = "library_settings"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
