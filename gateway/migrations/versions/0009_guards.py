"""What may never happen to a key, a keyset or an agency is refused by the database itself.

And: the centre's own keysets; the last login is shown; two persons let a key speak again one after the other.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


_KEY = """
create function key_edges() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a key is never forgotten' using errcode = 'integrity_constraint_violation';
  end if;
  if (new.kid, new.agency, new.keyset_sha256, new.alg, new.raw, new.uses, new.instance,
      new.not_before, new.not_after)
     is distinct from (old.kid, old.agency, old.keyset_sha256, old.alg, old.raw, old.uses,
      old.instance, old.not_before, old.not_after)
  or (old.approved_at is not null and new.approved_at is distinct from old.approved_at)
  or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  or (old.destroyed_at is not null and new.destroyed_at is distinct from old.destroyed_at)
  or (old.sign_until is not null and (new.sign_until is null or new.sign_until > old.sign_until))
  or (new.suspended_at is distinct from old.suspended_at
      and (old.revoked_at is not null or old.destroyed_at is not null))
  then
    raise exception 'no such edge in the life of a key'
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$
"""
_KEYSET = """
create function keyset_edges() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a keyset is never forgotten'
      using errcode = 'integrity_constraint_violation';
  end if;
  if tg_op = 'UPDATE' and (
    (new.agency, new.payload_sha256, new.version, new.envelope)
      is distinct from (old.agency, old.payload_sha256, old.version, old.envelope)
    or (old.leaf is not null and new.leaf is distinct from old.leaf)
    or (old.rejected_at is not null and new.rejected_at is distinct from old.rejected_at))
  then
    raise exception 'no such edge in the life of a keyset'
      using errcode = 'integrity_constraint_violation';
  end if;
  if new.leaf is not null and (tg_op = 'INSERT' or old.leaf is null) and new.version <> 1 + (
    select coalesce(max(version), 0) from keyset where agency = new.agency and leaf is not null
      and payload_sha256 <> new.payload_sha256)
  then
    raise exception 'a keyset counts as the very next version'
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$
"""
_AGENCY = """
create function agency_edges() returns trigger language plpgsql as $$
begin
  if (old.state, new.state) not in (
    ('invited', 'pending'), ('pending', 'invited'), ('pending', 'active'),
    ('active', 'suspended'), ('suspended', 'active'), ('active', 'left'), ('suspended', 'left'),
    ('left', 'active'))
  then
    raise exception 'no such edge in the life of an agency'
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$
"""
_APPROVED = (
    "approved_at is not null"
    " or (suspended_at is null and revoked_at is null and destroyed_at is null)"
)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("officer", sa.Column("last_login", moment, nullable=True))
    op.add_column("officer", sa.Column("login_before", moment, nullable=True))
    op.create_table(
        "resumption",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("officer_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["key.kid"], name=op.f("fk_resumption_kid_key")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_resumption")),
    )
    op.create_table(
        "centre_keyset",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_centre_keyset")),
    )
    op.create_check_constraint(op.f("ck_key_approved"), "key", _APPROVED)
    op.create_check_constraint(
        op.f("ck_key_destroyed"),
        "key",
        "destroyed_at is null or revoked_at is not null"
        " or destroyed_at >= least(sign_until, not_after)",
    )
    op.create_check_constraint(
        op.f("ck_keyset_fate"), "keyset", "leaf is null or rejected_at is null"
    )
    op.create_index(
        "uq_keyset_version",
        "keyset",
        ["agency", "version"],
        unique=True,
        postgresql_where=sa.text("leaf is not null"),
    )
    for function in (_KEY, _KEYSET, _AGENCY):
        op.execute(function)
    op.execute(
        "create trigger key_edges before update or delete on key"
        " for each row execute function key_edges()"
    )
    op.execute(
        "create trigger keyset_edges before insert or update or delete on keyset"
        " for each row execute function keyset_edges()"
    )
    op.execute(
        "create trigger agency_edges before update on agency for each row"
        " when (old.state is distinct from new.state) execute function agency_edges()"
    )


def downgrade() -> None:
    for table in ("agency", "keyset", "key"):
        op.execute(f"drop trigger {table}_edges on {table}")
        op.execute(f"drop function {table}_edges()")
    op.drop_index("uq_keyset_version", "keyset")
    op.drop_constraint(op.f("ck_keyset_fate"), "keyset")
    for name in ("destroyed", "approved"):
        op.drop_constraint(op.f(f"ck_key_{name}"), "key")
    op.drop_table("centre_keyset")
    op.drop_table("resumption")
    op.drop_column("officer", "login_before")
    op.drop_column("officer", "last_login")
