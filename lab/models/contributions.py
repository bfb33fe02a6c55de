"""The one root for what people give, and what becomes of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.accounts import Person
from lab.models.events import Event
from lab.models.programme import Body, Office, Place, Theme
from lab.models.projects import Project


class Kind(StrEnum):
    """What sort of thing was given. Ideas and reports share one door; triage tells them apart."""

    PROPOSAL = "proposal"
    REPORT = "report"
    DESK_NOTE = "desk_note"
    #: Said at a meeting and written down there.
    REMARK = "remark"
    #: Asked at a meeting; answered in writing.
    QUESTION = "question"


class Channel(StrEnum):
    """The way it reached the lab."""

    SITE = "site"
    KIOSK = "kiosk"
    PAPER = "paper"
    DESK = "desk"
    PHONE = "phone"
    BOX = "box"
    ASSEMBLY = "assembly"
    STAIR_ASSEMBLY = "stair_assembly"
    WALK = "walk"
    PLANNING_FOR_REAL = "planning_for_real"
    OPEN_SPACE = "open_space"
    WORLD_CAFE = "world_cafe"
    WORKING_GROUP = "working_group"
    WORKSHOP = "workshop"
    PARTY = "party"
    THEMATIC_TABLE = "thematic_table"
    SITE_MEETING = "site_meeting"
    OPENING = "opening"
    COURSE = "course"
    FIELD_TRIAL = "field_trial"
    MEETING = "meeting"
    SURVEY = "survey"
    MAIL = "mail"
    IMPORT = "import"


class State(StrEnum):
    """Where an input is on its way. The first three are open: the promise is running."""

    RECEIVED = "received"
    IN_REVIEW = "in_review"
    CO_DESIGN = "co_design"
    ANSWERED = "answered"
    TAKEN_UP = "taken_up"
    DONE = "done"
    DECLINED = "declined"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


OPEN_STATES = frozenset({State.RECEIVED, State.IN_REVIEW, State.CO_DESIGN})
#: Left out of the default list, readable on their own page and under their own filter.
ASIDE_STATES = frozenset({State.MERGED, State.WITHDRAWN})


class Outcome(StrEnum):
    """How an input ended. None means: not yet."""

    ACTION = "action"
    ACCEPTED = "accepted"
    ACCEPTED_IN_PART = "accepted_in_part"
    ALREADY_SO = "already_so"
    DECLINED = "declined"
    PASSED_ON = "passed_on"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


class Visibility(StrEnum):
    """Who may read it. Waiting: nobody but the lab until a facilitator has read it once."""

    PUBLIC = "public"
    WAITING = "waiting"
    PRIVATE = "private"
    HIDDEN = "hidden"


class Contribution(Base):
    """Anything a person gives, in their words, with its receipt, its way through the lab and its outcome.

    Written only by `lab.services.contributions`, which keeps `is_open`, `is_listed`, the counters, the
    search entry and the outcome tally true. `version` rises with every act, for compare-and-swap.
    """

    __tablename__ = "contribution"
    __public__ = True
    __table_args__ = (
        CheckConstraint("(x IS NULL) = (y IS NULL)", name="pin_whole"),
        CheckConstraint("x IS NULL OR (x BETWEEN 0 AND 1000 AND y BETWEEN 0 AND 1000)", name="on_the_plan"),
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_into_itself"),
        UniqueConstraint("source", "source_ref"),
        Index("ix_contribution_list", "is_listed", "created_at", "id"),
        Index("ix_contribution_list_supports", "is_listed", "supports_count", "id"),
        Index("ix_contribution_list_comments", "is_listed", "comments_count", "id"),
        Index("ix_contribution_list_theme", "is_listed", "theme_id", "created_at", "id"),
        Index("ix_contribution_list_place", "is_listed", "place_id", "created_at", "id"),
        Index("ix_contribution_list_state", "visibility", "state", "created_at", "id"),
        Index("ix_contribution_list_office", "is_listed", "office_id", "created_at", "id"),
        Index("ix_contribution_list_kind", "is_listed", "kind", "created_at", "id"),
        Index(
            "ix_contribution_desk",
            "promise_due_at",
            "id",
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
        Index(
            "ix_contribution_office_desk",
            "office_id",
            "office_due_on",
            "id",
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
        Index("ix_contribution_person", "person_id", "created_at"),
        Index("ix_contribution_decided", "decided_at", "id"),
        # Who waits and what was decided, for one theme or office: of a rare one nobody else's are read.
        *(
            Index(
                f"ix_contribution_{what}_{name}",
                f"{name}_id",
                column,
                "id",
                sqlite_where=text(where),
                postgresql_where=text(where),
            )
            for what, column, where in (
                ("waiting", "promise_due_at", "is_open"),
                ("settled", "decided_at", "decided_at IS NOT NULL"),
            )
            for name in ("theme", "office")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(Code(Kind))
    #: Public address: /proposte/<code>.
    code: Mapped[str] = mapped_column(String(24), unique=True)
    #: Known to the giver only; reads what became of this one input.
    receipt_code: Mapped[str] = mapped_column(String(8), unique=True)
    channel: Mapped[Channel] = mapped_column(Code(Channel))
    #: When it was said (for paper and imports: before it was typed).
    created_at: Mapped[datetime]
    typed_at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: The name others read; "" shows as "senza nome".
    author_name: Mapped[str] = mapped_column(String(80), default="")
    #: Who wrote it down, when somebody else did.
    typed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    title: Mapped[str] = mapped_column(String(160), default="")
    text: Mapped[str] = mapped_column(Text)
    #: First words of `text`, for lists.
    excerpt: Mapped[str] = mapped_column(String(240), default="")
    lang: Mapped[str] = mapped_column(String(8), default="it")
    theme_id: Mapped[int | None] = mapped_column(ForeignKey("theme.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    x: Mapped[int | None]
    y: Mapped[int | None]
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)

    state: Mapped[State] = mapped_column(Code(State), default=State.RECEIVED)
    outcome: Mapped[Outcome | None] = mapped_column(Code(Outcome))
    visibility: Mapped[Visibility] = mapped_column(Code(Visibility), default=Visibility.PUBLIC)
    is_open: Mapped[bool] = mapped_column(default=True)
    is_listed: Mapped[bool] = mapped_column(default=True)
    read_at: Mapped[datetime | None]
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    #: The day by which the office is asked to answer.
    office_due_on: Mapped[date | None]
    #: The promise made on the receipt.
    promise_due_at: Mapped[datetime]
    #: When the outcome became known to the giver.
    decided_at: Mapped[datetime | None]
    #: Who on the team has it in hand.
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    split_from_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)

    #: Hands counted where they cannot be rows (assembly, import); part of `supports_count`.
    supports_base: Mapped[int] = mapped_column(default=0)
    supports_count: Mapped[int] = mapped_column(default=0)
    comments_count: Mapped[int] = mapped_column(default=0)
    followers_count: Mapped[int] = mapped_column(default=0)
    photos_count: Mapped[int] = mapped_column(default=0)
    #: Nobody but staff adds comments.
    comments_closed: Mapped[bool] = mapped_column(default=False)

    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    #: What a tablet sent under that key: the same key with other content is refused.
    payload_hash: Mapped[str | None] = mapped_column(String(64))
    #: For imports: which set it came from and its id there; together they are imported once.
    source: Mapped[str | None] = mapped_column(String(64))
    source_ref: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)

    person: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[person_id])
    typed_by: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[typed_by_id])
    holder: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[holder_id])
    theme: Mapped[Theme | None] = relationship(lazy="raise")
    place: Mapped[Place | None] = relationship(lazy="raise")
    event: Mapped[Event | None] = relationship(lazy="raise")
    office: Mapped[Office | None] = relationship(lazy="raise")


#: "The promise is running", written as the partial indexes have it: the planners do not see that a comparison
#: with a value (`Contribution.is_open` becomes one on SQLite) says the same.
IS_OPEN = text("contribution.is_open")


class Proposal(Base):
    """What only ideas and reports have: a window for editing, a withdrawal."""

    __tablename__ = "proposal"
    __public__ = True

    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True)
    edit_until: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")
    contribution: Mapped[Contribution] = relationship(lazy="raise")


class ContributionVersion(Base):
    """The words as they stood before an edit."""

    __tablename__ = "contribution_version"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), index=True)
    replaced_at: Mapped[datetime]
    title: Mapped[str] = mapped_column(String(160), default="")
    text: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ContributionAuthor(Base):
    """Somebody whose words are in this input; after a merge, co-authors with the input they came from."""

    __tablename__ = "contribution_author"
    __public__ = True
    __table_args__ = (UniqueConstraint("contribution_id", "via_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), default="")
    #: The merged input through which they came.
    via_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), index=True)
    via: Mapped[Contribution] = relationship(lazy="raise", foreign_keys=[via_id])


class ContributionProject(Base):
    """An input speaks about a formal project: said by its author or found by the team."""

    __tablename__ = "contribution_project"
    __public__ = True
    __table_args__ = (Index("ix_contribution_project_newest", "project_id", "said_at", "contribution_id"),)

    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    #: When it was said, as the input has it: the newest about a project are found without sorting them all.
    said_at: Mapped[datetime]
    project: Mapped[Project] = relationship(lazy="raise")
    contribution: Mapped[Contribution] = relationship(lazy="raise")


class Merge(Base):
    """One input merged into another. Undone merges keep their row."""

    __tablename__ = "merge"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), index=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    #: State and outcome of the source before, so that undoing restores them.
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class StepKind(StrEnum):
    """What happened to an input, as everybody may read it."""

    SAID = "said"
    READ = "read"
    SORTED = "sorted"
    ROUTED = "routed"
    TAKEN_BACK = "taken_back"
    PASSED_ON = "passed_on"
    EDITED = "edited"
    MERGED = "merged"
    TOOK_IN = "took_in"
    UNMERGED = "unmerged"
    SPLIT = "split"
    CO_DESIGN = "co_design"
    WOVEN = "woven"
    UNWOVEN = "unwoven"
    ADOPTED = "adopted"
    UNDER_WAY = "under_way"
    UPDATED = "updated"
    DONE = "done"
    ANSWERED = "answered"
    HIDDEN = "hidden"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"
    REOPENED = "reopened"


class Step(Base):
    """One dated step in the life of an input: the trace that everybody can walk. Append-only."""

    __tablename__ = "step"
    __public__ = True
    __table_args__ = (Index("ix_step_contribution", "contribution_id", "at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"))
    at: Mapped[datetime]
    kind: Mapped[StepKind] = mapped_column(Code(StepKind))
    #: The function in which somebody acted ("facilitator"); never their name.
    capacity: Mapped[str] = mapped_column(String(24), default="")
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"))
    action_id: Mapped[int | None] = mapped_column(ForeignKey("action.id"), index=True)
    other_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"))
    text: Mapped[str] = mapped_column(Text, default="")
    is_public: Mapped[bool] = mapped_column(default=True)
    office: Mapped[Office | None] = relationship(lazy="raise")
    body: Mapped[Body | None] = relationship(lazy="raise")
    other: Mapped[Contribution | None] = relationship(lazy="raise", foreign_keys=[other_id])


#: In the tally: whatever the theme, whatever the office.
ANY = -1


class Tally(Base):
    """How many inputs are where: kept at every change, so that /esiti counts nothing.

    One row for each combination; 0 stands for "none yet" in theme and office, so the key is whole. `ANY`
    stands for all themes or all offices together: every input counts in four rows, and who asks names both,
    or counts twice. `month` is the first day of the month in which the input was said.
    """

    __tablename__ = "tally"
    __public__ = True
    __table_args__ = (
        UniqueConstraint("month", "kind", "theme_id", "office_id", "state", "timeliness"),
        Index("ix_tally_theme", "theme_id", "office_id"),
        Index("ix_tally_office", "office_id", "theme_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[date]
    kind: Mapped[Kind] = mapped_column(Code(Kind))
    theme_id: Mapped[int] = mapped_column(default=0)
    office_id: Mapped[int] = mapped_column(default=0)
    state: Mapped[State] = mapped_column(Code(State))
    #: open, in_time, late: whether the outcome came within the promise.
    timeliness: Mapped[str] = mapped_column(String(8))
    count: Mapped[int] = mapped_column(default=0)
