"""The tables of the index.

Every version of every record stays in `assertion`; `source_record` says which one is live. All
other tables are derived from the live ones (and `person`, `membership` and `journal` from their
history), so that undoing is exact. The bulk tables have no foreign keys: a check for each row
would cost more than the row; tests hold that nothing dangles.

NIK, No. KK, phone and every field of class S3 stand in `sealed` and `hidden` only, and as blind
indexes. Names, birth dates and kelurahan are searchable text (design: field encryption).
"""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gateway.storage.base import metadata

source_record = Table(
    "source_record",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("agency", Text, nullable=False),
    Column("record_type", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    # The newest version heard of: a withdrawal counts, and so does one that said nothing new.
    Column("v", BigInteger, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("assertion_id", BigInteger),
    UniqueConstraint("agency", "record_type", "source_id", name="uq_source_record_key"),
)

_ADDRESS = "coalesce(clear->'address_ktp', clear->'address_domicile')"

assertion = Table(
    "assertion",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("record_id", BigInteger, nullable=False),
    Column("v", BigInteger, nullable=False),
    Column("batch_id", Uuid, nullable=False),
    Column("line_i", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("clear", JSONB, nullable=False),
    Column("sealed", LargeBinary),
    Column("period", Integer, nullable=False),
    UniqueConstraint("record_id", "v", name="uq_assertion_version"),
    Index("ix_assertion_batch_id", "batch_id"),
    Index(
        "ix_assertion_unplaced",
        text(f"({_ADDRESS}->>'kelurahan_raw')"),
        postgresql_where=text(
            f"{_ADDRESS}->>'kelurahan' is null and ({_ADDRESS}->>'kelurahan_raw') is not null"
        ),
    ),
)

source_batch = Table(
    "source_batch",
    metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("agency", Text, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("accepted", LargeBinary),
    # Set while the batch is in quarantine: none of its versions counts.
    Column("suspect_since", DateTime(timezone=True)),
    # Its agency has left and taken it back: nobody is to wait for a verdict.
    Column("withdrawn", Boolean, nullable=False, server_default="false"),
)

subject = Table(
    "subject",
    metadata,
    Column("record_id", BigInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("agency", Text, nullable=False),
    Index("ix_subject_of", "source_id", "kind", "agency"),
)

person_feature = Table(
    "person_feature",
    metadata,
    Column("record_id", BigInteger, primary_key=True),
    Column("assertion_id", BigInteger, nullable=False),
    Column("agency", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("name", Text),
    Column("core", Text),
    Column("alias", Text),
    Column("birth_date", Text),
    Column("sex", Text),
    Column("kelurahan", Text),
    Column("address", Text),
    Column("registered", Boolean, nullable=False),
    Column("nik_bix", LargeBinary),
    Column("kk_bix", LargeBinary),
    Column("phone_bix", LargeBinary),
    Column("period", Integer, nullable=False),
    Column("hidden", LargeBinary, nullable=False),
    Column("keys", ARRAY(BigInteger), nullable=False),
    # Under which index key; during a rotation also the next one's keys (see `reindex`).
    Column("bix_v", Integer, nullable=False, server_default="1"),
    Column("keys_next", ARRAY(BigInteger)),
    Index(
        "ix_person_feature_core",
        "core",
        postgresql_using="gin",
        postgresql_ops={"core": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on"},
    ),
    Index(
        "ix_person_feature_alias",
        "alias",
        postgresql_using="gin",
        postgresql_ops={"alias": "gin_trgm_ops"},
        postgresql_where=text("alias is not null"),
    ),
    Index("ix_person_feature_birth_date", "birth_date"),
    Index("ix_person_feature_nik_bix", "nik_bix", postgresql_where=text("nik_bix is not null")),
    Index("ix_person_feature_kk_bix", "kk_bix", postgresql_where=text("kk_bix is not null")),
    Index(
        "ix_person_feature_phone_bix", "phone_bix", postgresql_where=text("phone_bix is not null")
    ),
)

index_key = Table(
    "index_key",
    metadata,
    Column("one", Boolean, primary_key=True, server_default="true"),
    Column("current", Integer, nullable=False),
    Column("next", Integer),
    CheckConstraint("one", name="one"),
)
"""One row: the versions of the index key in use; none before the first rotation."""

block_key = Table(
    "block_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
)

hot_key = Table(
    "hot_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("stale", Boolean, nullable=False, server_default="false"),
)

touched = Table(
    "touched",
    metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
)

edge = Table(
    "edge",
    metadata,
    Column("a", BigInteger, primary_key=True, autoincrement=False),
    Column("b", BigInteger, primary_key=True, autoincrement=False),
    Column("bits", Double, nullable=False),
    Column("levels", LargeBinary, nullable=False),
    Column("model", Text, nullable=False),
    Index("ix_edge_back", "b", "a"),
)

person = Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("merged_into", Uuid),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_person_merged_into", "merged_into", postgresql_where=text("merged_into is not null")),
)

membership = Table(
    "membership",
    metadata,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", Uuid, nullable=False),
    Index("ix_membership_person_id", "person_id"),
)

former = Table(
    "former",
    metadata,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", Uuid, nullable=False),
    Index("ix_former_person_id", "person_id"),
)
"""The id that a record bore before that person was merged into another: it comes back with them."""

stirred = Table(
    "stirred",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("record_id", BigInteger, nullable=False),
    Index("ix_stirred_record_id", "record_id"),
)
"""Records whose conflicts with others must be looked for anew; who adds one waits for nobody."""

journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("kind", Text, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("other_id", Uuid),
    Column("record_id", BigInteger),
    Column("batch_id", Uuid, nullable=False),
    Column("bits", REAL),
    Column("model", Text, nullable=False),
    Index("ix_journal_person_id", "person_id"),
)
