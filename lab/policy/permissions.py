"""Every right there is, as `thing:verb`."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """The grammar is thing:verb; `lab.policy.rules` says who holds each, and on which subject."""

    # what a resident does
    ACCOUNT_SELF = "account:self"
    CONTRIBUTION_READ = "contribution:read"
    PROPOSAL_SUBMIT = "proposal:submit"
    PROPOSAL_EDIT = "proposal:edit"
    PROPOSAL_WITHDRAW = "proposal:withdraw"
    CONTRIBUTION_SUPPORT = "contribution:support"
    CONTRIBUTION_FOLLOW = "contribution:follow"
    COMMENT_WRITE = "comment:write"
    COMMENT_EDIT = "comment:edit"
    FLAG_RAISE = "flag:raise"
    APPEAL_MAKE = "appeal:make"

    # the desk
    DESK_SEE = "desk:see"
    INBOX_SEE = "inbox:see"
    CONTRIBUTION_WORK = "contribution:work"
    CONTRIBUTION_TYPE = "contribution:type"
    CONTRIBUTION_SORT = "contribution:sort"
    CONTRIBUTION_ROUTE = "contribution:route"
    CONTRIBUTION_MERGE = "contribution:merge"
    CONTRIBUTION_HIDE = "contribution:hide"
    CONTRIBUTION_KEEP_PRIVATE = "contribution:keep_private"
    COMMENT_HIDE = "comment:hide"
    FLAG_SETTLE = "flag:settle"
    APPEAL_SETTLE = "appeal:settle"
    ANSWER_DRAFT = "answer:draft"
    ANSWER_PUBLISH = "answer:publish"

    # actions and projects
    ACTION_READ = "action:read"
    ACTION_DRAFT = "action:draft"
    ACTION_LINK = "action:link"
    ACTION_DECIDE = "action:decide"
    ACTION_UPDATE = "action:update"
    PROJECT_EDIT = "project:edit"
    PROGRAMME_EDIT = "programme:edit"

    # meetings
    EVENT_READ = "event:read"
    EVENT_SIGN_UP = "event:sign_up"
    EVENT_EDIT = "event:edit"
    EVENT_RUN = "event:run"
    EVENT_CAPTURE = "event:capture"
    COMMITMENT_UPDATE = "commitment:update"

    # people and the house
    PERSON_REGISTER = "person:register"
    PERSON_BLOCK = "person:block"
    CARD_ISSUE = "card:issue"
    LETTER_PRINT = "letter:print"
    ROLE_GRANT = "role:grant"
    SETTINGS_EDIT = "settings:edit"
    OUTBOX_SEE = "outbox:see"
    AUDIT_SEE = "audit:see"
