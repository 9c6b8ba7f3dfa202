"""The straight line: outbox, log, trust, intake, index, access."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.create_table(
        "agency",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("code ~ '^[a-z0-9-]{1,40}$'", name=op.f("ck_agency_code")),
        sa.CheckConstraint(
            "state in ('invited', 'pending', 'active', 'suspended')", name=op.f("ck_agency_state")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agency")),
    )
    op.create_table(
        "assertion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("v", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("line_i", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("clear", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assertion")),
        sa.UniqueConstraint("record_id", "v", name="uq_assertion_version"),
    )
    op.create_index("ix_assertion_batch_id", "assertion", ["batch_id"], unique=False)
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("max_reject", sa.Double(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("confirms", sa.LargeBinary(), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("agency", "stream", "epoch", "seq", name=op.f("uq_batch_agency")),
    )
    op.create_index("ix_batch_agency_accepted_at", "batch", ["agency", "accepted_at"], unique=False)
    op.create_index(
        "ix_batch_snapshot",
        "batch",
        ["snapshot"],
        unique=False,
        postgresql_where=sa.text("snapshot is not null"),
    )
    op.create_index(
        "ix_batch_waiting",
        "batch",
        ["agency", "stream"],
        unique=False,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "block_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "record_id", name=op.f("pk_block_key")),
    )
    op.create_table(
        "edge",
        sa.Column("a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bits", sa.Double(), nullable=False),
        sa.Column("levels", sa.LargeBinary(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("a", "b", name=op.f("pk_edge")),
    )
    op.create_index("ix_edge_back", "edge", ["b", "a"], unique=False)
    op.create_table(
        "fork_evidence",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ours", sa.LargeBinary(), nullable=True),
        sa.Column("theirs", sa.LargeBinary(), nullable=False),
        sa.Column("theirs_sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fork_evidence")),
        sa.UniqueConstraint(
            "agency",
            "stream",
            "epoch",
            "seq",
            "theirs_sha256",
            name=op.f("uq_fork_evidence_agency"),
        ),
    )
    op.create_table(
        "heartbeat",
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("duty", "process", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "hot_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stale", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hot_key")),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("bits", sa.REAL(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_person_id", "journal", ["person_id"], unique=False)
    op.create_table(
        "log_entry",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_log_entry")),
    )
    op.create_index(op.f("ix_log_entry_leaf"), "log_entry", ["leaf"], unique=False)
    op.create_table(
        "log_head",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "signed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_pending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_pending")),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "n", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index("ix_login_failure_account", "login_failure", ["account", "at"], unique=False)
    op.create_index("ix_login_failure_address", "login_failure", ["address", "at"], unique=False)
    op.create_table(
        "look_rate",
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("officer_id", "action", "hour", name=op.f("pk_look_rate")),
    )
    op.create_table(
        "membership",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_person_id", "membership", ["person_id"], unique=False)
    op.create_table(
        "nonce",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", "nonce", name=op.f("pk_nonce")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_nonce_seen_at"), "nonce", ["seen_at"], unique=False)
    op.create_table(
        "officer",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer")),
        sa.UniqueConstraint("username", name=op.f("uq_officer_username")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "due", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("handed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hands", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["due"],
        unique=False,
        postgresql_where=sa.text("done is null and parked is null"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(
        "ix_person_merged_into",
        "person",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_table(
        "person_feature",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("assertion_id", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("core", sa.Text(), nullable=True),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("kelurahan", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("nik_bix", sa.LargeBinary(), nullable=True),
        sa.Column("kk_bix", sa.LargeBinary(), nullable=True),
        sa.Column("phone_bix", sa.LargeBinary(), nullable=True),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.LargeBinary(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_person_feature")),
    )
    op.create_index(
        "ix_person_feature_alias",
        "person_feature",
        ["alias"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"alias": "gin_trgm_ops"},
        postgresql_where=sa.text("alias is not null"),
    )
    op.create_index("ix_person_feature_birth_date", "person_feature", ["birth_date"], unique=False)
    op.create_index(
        "ix_person_feature_core",
        "person_feature",
        ["core"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"core": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on"},
    )
    op.create_index(
        "ix_person_feature_kk_bix",
        "person_feature",
        ["kk_bix"],
        unique=False,
        postgresql_where=sa.text("kk_bix is not null"),
    )
    op.create_index(
        "ix_person_feature_nik_bix",
        "person_feature",
        ["nik_bix"],
        unique=False,
        postgresql_where=sa.text("nik_bix is not null"),
    )
    op.create_index(
        "ix_person_feature_phone_bix",
        "person_feature",
        ["phone_bix"],
        unique=False,
        postgresql_where=sa.text("phone_bix is not null"),
    )
    op.create_table(
        "poisoned",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("i", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "i", name=op.f("pk_poisoned")),
    )
    op.create_table(
        "rate",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "minute", name=op.f("pk_rate")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "snapshot",
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("begin_seq", sa.BigInteger(), nullable=False),
        sa.Column("end_seq", sa.BigInteger(), nullable=True),
        sa.Column("parts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("roots", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("agency", "stream", "id", name=op.f("uq_snapshot_agency")),
    )
    op.create_index(
        "ix_snapshot_ended",
        "snapshot",
        ["agency", "stream"],
        unique=False,
        postgresql_where=sa.text("state = 'ended'"),
    )
    op.create_table(
        "snapshot_member",
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot", "source_id", name=op.f("pk_snapshot_member")),
    )
    op.create_table(
        "source_batch",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_source_batch")),
    )
    op.create_table(
        "source_record",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("v", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("assertion_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_record")),
        sa.UniqueConstraint("agency", "record_type", "source_id", name="uq_source_record_key"),
    )
    op.create_table(
        "stream_head",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=True),
        sa.Column("suspended", sa.Text(), nullable=True),
        sa.Column("restart", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("agency", "stream", name=op.f("pk_stream_head")),
    )
    op.create_table(
        "subject",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "kind", "source_id", "role", name=op.f("pk_subject")),
    )
    op.create_index("ix_subject_of", "subject", ["source_id", "kind", "agency"], unique=False)
    op.create_table(
        "suspect",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("lo", sa.Integer(), nullable=False),
        sa.Column("hi", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "lo", name=op.f("pk_suspect")),
    )
    op.create_table(
        "touched",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "record_id", name=op.f("pk_touched")),
    )
    op.create_table(
        "approval",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("keyset_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("officer_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_approval_agency")),
        sa.PrimaryKeyConstraint("agency", "keyset_sha256", "officer_id", name=op.f("pk_approval")),
    )
    op.create_table(
        "batch_line",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("i", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("ct", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_line_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "i", name=op.f("pk_batch_line")),
    )
    op.create_table(
        "disposition",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("i", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_disposition_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "n", name=op.f("pk_disposition")),
    )
    op.create_table(
        "grant_",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("drawn_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_grant__agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_")),
        sa.UniqueConstraint("agency", "record_type", "action", name=op.f("uq_grant__agency")),
    )
    op.create_table(
        "key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("keyset_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("alg", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sign_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_key_agency")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_key")),
        sa.UniqueConstraint("raw", name=op.f("uq_key_raw")),
    )
    op.create_index(op.f("ix_key_agency"), "key", ["agency"], unique=False)
    op.create_table(
        "keyset",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_keyset_agency")),
        sa.PrimaryKeyConstraint("agency", "payload_sha256", name=op.f("pk_keyset")),
    )
    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officer.id"], name=op.f("fk_login_session_officer_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login_session")),
    )
    op.create_index("ix_login_session_officer_id", "login_session", ["officer_id"], unique=False)
    op.create_table(
        "query",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_query_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query")),
    )
    op.create_index("ix_query_at", "query", ["at"], unique=False)
    op.create_index("ix_query_officer_id", "query", ["officer_id", "at"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("secret_key", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("nonce_expires", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_ticket_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )
    op.create_index(op.f("ix_ticket_agency"), "ticket", ["agency"], unique=False)
    op.create_table(
        "result",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_result_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result")),
    )
    op.create_index(op.f("ix_result_query_id"), "result", ["query_id"], unique=False)
    op.create_table(
        "result_person",
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["result_id"], ["result.id"], name=op.f("fk_result_person_result_id")
        ),
        sa.PrimaryKeyConstraint("result_id", "person_id", name=op.f("pk_result_person")),
    )
    op.create_index("ix_result_person_person_id", "result_person", ["person_id"], unique=False)
    op.execute("alter table log_tile alter column data set storage external")


def downgrade() -> None:
    op.drop_index("ix_result_person_person_id", table_name="result_person")
    op.drop_table("result_person")
    op.drop_index(op.f("ix_result_query_id"), table_name="result")
    op.drop_table("result")
    op.drop_index(op.f("ix_ticket_agency"), table_name="ticket")
    op.drop_table("ticket")
    op.drop_index("ix_query_officer_id", table_name="query")
    op.drop_index("ix_query_at", table_name="query")
    op.drop_table("query")
    op.drop_index("ix_login_session_officer_id", table_name="login_session")
    op.drop_table("login_session")
    op.drop_table("keyset")
    op.drop_index(op.f("ix_key_agency"), table_name="key")
    op.drop_table("key")
    op.drop_table("grant_")
    op.drop_table("disposition")
    op.drop_table("batch_line")
    op.drop_table("approval")
    op.drop_table("touched")
    op.drop_table("suspect")
    op.drop_index("ix_subject_of", table_name="subject")
    op.drop_table("subject")
    op.drop_table("stream_head")
    op.drop_table("source_record")
    op.drop_table("source_batch")
    op.drop_table("snapshot_member")
    op.drop_index(
        "ix_snapshot_ended", table_name="snapshot", postgresql_where=sa.text("state = 'ended'")
    )
    op.drop_table("snapshot")
    op.drop_table("rate")
    op.drop_table("poisoned")
    op.drop_index(
        "ix_person_feature_phone_bix",
        table_name="person_feature",
        postgresql_where=sa.text("phone_bix is not null"),
    )
    op.drop_index(
        "ix_person_feature_nik_bix",
        table_name="person_feature",
        postgresql_where=sa.text("nik_bix is not null"),
    )
    op.drop_index(
        "ix_person_feature_kk_bix",
        table_name="person_feature",
        postgresql_where=sa.text("kk_bix is not null"),
    )
    op.drop_index(
        "ix_person_feature_core",
        table_name="person_feature",
        postgresql_using="gin",
        postgresql_ops={"core": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on"},
    )
    op.drop_index("ix_person_feature_birth_date", table_name="person_feature")
    op.drop_index(
        "ix_person_feature_alias",
        table_name="person_feature",
        postgresql_using="gin",
        postgresql_ops={"alias": "gin_trgm_ops"},
        postgresql_where=sa.text("alias is not null"),
    )
    op.drop_table("person_feature")
    op.drop_index(
        "ix_person_merged_into",
        table_name="person",
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.drop_table("person")
    op.drop_index(
        "ix_outbox_open",
        table_name="outbox",
        postgresql_where=sa.text("done is null and parked is null"),
    )
    op.drop_table("outbox")
    op.drop_table("officer")
    op.drop_index(op.f("ix_nonce_seen_at"), table_name="nonce")
    op.drop_table("nonce")
    op.drop_index("ix_membership_person_id", table_name="membership")
    op.drop_table("membership")
    op.drop_table("look_rate")
    op.drop_index("ix_login_failure_address", table_name="login_failure")
    op.drop_index("ix_login_failure_account", table_name="login_failure")
    op.drop_table("login_failure")
    op.drop_table("log_tile")
    op.drop_table("log_pending")
    op.drop_table("log_head")
    op.drop_index(op.f("ix_log_entry_leaf"), table_name="log_entry")
    op.drop_table("log_entry")
    op.drop_index("ix_journal_person_id", table_name="journal")
    op.drop_table("journal")
    op.drop_table("hot_key")
    op.drop_table("heartbeat")
    op.drop_table("fork_evidence")
    op.drop_index("ix_edge_back", table_name="edge")
    op.drop_table("edge")
    op.drop_table("block_key")
    op.drop_index(
        "ix_batch_waiting", table_name="batch", postgresql_where=sa.text("state = 'accepted'")
    )
    op.drop_index(
        "ix_batch_snapshot", table_name="batch", postgresql_where=sa.text("snapshot is not null")
    )
    op.drop_index("ix_batch_agency_accepted_at", table_name="batch")
    op.drop_table("batch")
    op.drop_index("ix_assertion_batch_id", table_name="assertion")
    op.drop_table("assertion")
    op.drop_table("agency")
