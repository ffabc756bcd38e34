import stat

import pytest
from sqlalchemy import create_engine, inspect, text

from agent.config import Config
from agent.errors import LedgerError
from agent.ledger.engine import HEAD, open_engine
from agent.ledger.schema import Base
from agent.ledger.store import Ledger


def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


def test_migrations_build_exactly_the_schema(tmp_path):
    migrated = inspect(open_engine(url(tmp_path)))
    declared = create_engine("sqlite://")
    Base.metadata.create_all(declared)
    wanted = inspect(declared)
    assert set(migrated.get_table_names()) == {*wanted.get_table_names(), "alembic_version"}
    for table in wanted.get_table_names():
        names = [[column["name"], str(column["type"]), column["nullable"]] for column in wanted.get_columns(table)]
        assert [[c["name"], str(c["type"]), c["nullable"]] for c in migrated.get_columns(table)] == names
        indexes = {index["name"] for index in wanted.get_indexes(table)}
        assert {index["name"] for index in migrated.get_indexes(table)} == indexes


def test_opening_again_keeps_what_is_there(tmp_path):
    first = Ledger.open(Config.at(tmp_path))
    first.runs.create("r", "ask", {"question": "?"})
    first.close()
    assert Ledger.open(Config.at(tmp_path)).runs.get("r").request == {"question": "?"}


def test_the_head_is_the_newest_migration(tmp_path):
    with open_engine(url(tmp_path)).connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_a_ledger_of_a_newer_program_is_left_alone(tmp_path):
    engine = open_engine(url(tmp_path))
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match="another version of Circuit Court"):
        open_engine(url(tmp_path))


def test_the_data_folder_is_private(tmp_path):
    Ledger.open(Config.at(tmp_path / "home"))
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_told_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="Set CIRCUIT_COURT_HOME"):
        Ledger.open(Config.at(tmp_path / "file" / "home"))


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "ledger.sqlite").write_text("this is not a database, though it is long enough to look like one" * 9)
    with pytest.raises(LedgerError, match="cannot be opened: file is not a database"):
        open_engine(url(tmp_path))


def test_a_url_nobody_can_read_is_told():
    with pytest.raises(LedgerError, match="URL cannot be read"):
        open_engine("ledger dot sqlite")


def test_a_server_that_is_not_there_is_told_without_its_password():
    with pytest.raises(LedgerError) as caught:
        open_engine("postgresql://judge:secret@127.0.0.1:9/court")
    assert "secret" not in str(caught.value)
