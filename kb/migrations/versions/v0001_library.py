"""The first library: documents, passages with full text, vectors, names, links, identifiers, claims."""

import sqlalchemy as sa
from alembic import op

revision = "library_1"
down_revision = None
branch_labels = None
depends_on = None


def _owner() -> sa.Column[str]:
    return sa.Column(
        "document_id", sa.String, sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True
    )


def upgrade() -> None:
    """Create every table and the full-text index."""
    _create_documents()
    _create_passages()
    op.create_table(
        "aliases",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("key", sa.String, nullable=False, index=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        _owner(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "links",
        sa.Column("number", sa.Integer, primary_key=True),
        _owner(),
        sa.Column("target_key", sa.String, nullable=False, index=True),
        sa.Column("target", sa.String, nullable=False),
    )
    op.create_table(
        "literature_claims",
        sa.Column("id", sa.String, primary_key=True),
        _owner(),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
    )
    op.create_table(
        "library_settings",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )


def _create_documents() -> None:
    required = ("title", "kind", "text", "content_hash", "language")
    optional = ("canonical_id", "duplicate_of", "category", "status", "trust", "verification", "url")
    op.create_table(
        "documents",
        sa.Column("id", sa.String, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in required),
        *(sa.Column(name, sa.String, nullable=False, index=True) for name in ("origin", "source")),
        *(sa.Column(name, sa.String) for name in optional),
        sa.Column("confidence", sa.Float),
        sa.Column("year", sa.Integer),
        sa.Column("arxiv", sa.String, index=True),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("tags", "models", "front", "problems")),
    )


def _create_passages() -> None:
    op.create_table(
        "passages",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        _owner(),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("heading", sa.String, nullable=False),
        sa.Column("start_at", sa.Integer, nullable=False),
        sa.Column("end_at", sa.Integer, nullable=False),
        sa.Column("page", sa.Integer),
        sqlite_autoincrement=True,  # a number is never given twice: the vector index counts on it
    )
    number = sa.ForeignKey("passages.number", ondelete="CASCADE")
    op.create_table(
        "vectors",
        sa.Column("number", sa.Integer, number, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "identifiers",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("key", sa.String, nullable=False),
        sa.Column(
            "passage", sa.Integer, sa.ForeignKey("passages.number", ondelete="CASCADE"), nullable=False, index=True
        ),
    )
    op.create_index("identifiers_key", "identifiers", ["key"])
    op.execute(
        "CREATE VIRTUAL TABLE passages_fts USING fts5(title, names, asked, heading, body, "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )


def downgrade() -> None:
    """Drop everything; documents can be ingested again."""
    for table in (
        "passages_fts",
        "identifiers",
        "vectors",
        "passages",
        "aliases",
        "links",
        "literature_claims",
        "library_settings",
        "documents",
    ):
        op.execute(f"DROP TABLE {table}")
