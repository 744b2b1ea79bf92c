"""Unattended work: what it cost, how fast it was, which originals were proved good, reports of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False, comment="its name in the settings: google_vision"),
        sa.Column("feature", sa.Text(), nullable=False, comment="what the service counts and bills: LABEL_DETECTION"),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False, comment="the month of the bill, in UTC: 2026-11"),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column(
            "micros",
            sa.Integer(),
            nullable=False,
            comment="price of these units, in millionths of the provider's currency",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="reserved: before the call; spent: after it"),
        sa.Column("owner", sa.Text(), nullable=False, comment="the process that reserved it"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.CheckConstraint("state IN ('reserved', 'spent')", name="ledger_state"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_by_month", "ledger", ["provider", "month", "feature"], unique=False)


def _create_proof() -> None:
    op.create_table(
        "proof",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False, comment="when its bytes were read last"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="good, changed, damaged, unreadable"),
        sa.Column("digest", sa.LargeBinary(), nullable=True, comment="BLAKE3 of the bytes that were read"),
        sa.Column("size_bytes", sa.Integer(), nullable=True, comment="size and time of the file then"),
        sa.Column("mtime_ns", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True, comment="why it is not good"),
        sa.CheckConstraint("outcome IN ('good', 'changed', 'damaged', 'unreadable')", name="proof_outcome"),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_proof_file_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_proof")),
    )
    op.create_index("proof_by_age", "proof", ["at"], unique=False)


def _create_throughput() -> None:
    op.create_table(
        "throughput",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=True, comment="null: work without a model"),
        sa.Column("at", sa.Float(), nullable=False, comment="the end of the piece of work"),
        sa.Column("subjects", sa.Integer(), nullable=False, comment="tasks that were finished"),
        sa.Column("failed", sa.Integer(), nullable=False, comment="of these, how many failed"),
        sa.Column("retried", sa.Integer(), nullable=False, comment="of these, how many had been tried before"),
        sa.Column("seconds", sa.Float(), nullable=False, comment="wall time, without opening the model"),
        sa.Column(
            "opening_seconds",
            sa.Float(),
            nullable=False,
            comment="until the model was ready; 0 for later pieces of a run",
        ),
        sa.Column("infer_seconds", sa.Float(), nullable=False, comment="time in the model"),
        sa.Column("device", sa.Text(), nullable=False, comment="where it ran"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_throughput_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_throughput")),
    )
    op.create_index("throughput_by_stage", "throughput", ["stage", "at"], unique=False)


def _create_measurement() -> None:
    op.create_table(
        "measurement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="search, write, index"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
    )
    op.create_index("measurement_by_kind", "measurement", ["kind", "id"], unique=False)


def _create_night() -> None:
    op.create_table(
        "night",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True, comment="null: it runs, or was killed"),
        sa.Column("outcome", sa.Text(), nullable=True, comment="done, window, stopped, failed"),
        sa.Column("report", sa.JSON(), nullable=True, comment="what `run --report` writes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_night")),
        sqlite_autoincrement=True,
    )


def upgrade() -> None:
    _create_ledger()
    _create_proof()
    _create_throughput()
    _create_measurement()
    _create_night()
