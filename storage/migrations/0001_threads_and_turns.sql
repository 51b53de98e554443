-- Threads, their turns, and what was said in them.
--
-- Every table is keyed first by thread: what belongs to one conversation lies together, and a table can be partitioned
-- by it without a change of meaning. Times are seconds since the epoch. A turn is open until it has an end (ended_at).

CREATE TABLE thread (
    thread      TEXT    NOT NULL PRIMARY KEY,  -- platform:installation:channel:thread
    epoch       INTEGER NOT NULL DEFAULT 0,    -- how often it was reset
    latest      TEXT,                          -- the interaction it stands on
    title       TEXT,                          -- only where text is kept
    is_ours     INTEGER NOT NULL DEFAULT 0,    -- it hangs from a message addressed to the bot
    is_quiet    INTEGER NOT NULL DEFAULT 0,    -- the bot waits for mentions here
    reset_at    REAL,                          -- when it was last reset
    updated_at  REAL    NOT NULL
) WITHOUT ROWID;

CREATE TABLE turn (
    thread          TEXT    NOT NULL REFERENCES thread ON DELETE CASCADE,
    id              TEXT    NOT NULL,
    sequence        INTEGER NOT NULL,            -- its place in the thread
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'answered', 'failed', 'stopped', 'superseded')),
    epoch           INTEGER NOT NULL,
    asker           TEXT    NOT NULL,            -- platform:person, whose messages these are
    refusal         TEXT,
    sealed          INTEGER NOT NULL DEFAULT 0,  -- a command came since: nothing joins it any more
    previous        TEXT,                        -- the interaction it goes on from
    interaction     TEXT,                        -- the newest one created for it
    asks            INTEGER NOT NULL DEFAULT 0,
    stopping        INTEGER NOT NULL DEFAULT 0,
    counted         INTEGER NOT NULL DEFAULT 0,  -- among the turns of the day it was claimed on
    tell            INTEGER NOT NULL DEFAULT 0,  -- it ended without an answer, and the next turn hears of it
    notice          TEXT,                        -- only where text is kept
    model           TEXT,
    input_tokens    INTEGER,
    output_tokens   INTEGER,
    thought_tokens  INTEGER,
    cached_tokens   INTEGER,
    tool_tokens     INTEGER,
    total_tokens    INTEGER,
    created_at      REAL    NOT NULL,
    claimed_at      REAL,
    ended_at        REAL,
    PRIMARY KEY (thread, id),
    UNIQUE (thread, sequence),
    CHECK ((state IN ('queued', 'running')) = (ended_at IS NULL))
) WITHOUT ROWID;

CREATE INDEX open_turn ON turn (thread, sequence) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX one_running_turn ON turn (thread) WHERE state = 'running';
CREATE INDEX turn_of_a_day ON turn (claimed_at, asker) WHERE counted = 1;

-- Every message ever handed over, so that each is taken once: those of turns, withdrawn ones and commands.
CREATE TABLE message (
    thread              TEXT    NOT NULL REFERENCES thread ON DELETE CASCADE,
    id                  TEXT    NOT NULL,
    turn                TEXT,                        -- none for a command and for a withdrawn message
    position            INTEGER NOT NULL DEFAULT 0,  -- its place in the turn, by arrival
    author              TEXT,
    author_name         TEXT,
    author_standing     TEXT,
    text                TEXT,
    attachment_ids      TEXT,                        -- JSON: [id, ...]
    attachment_details  TEXT,                        -- JSON: [[name, mime_type, size], ...], blanked with the text
    address             TEXT,
    is_root             INTEGER NOT NULL DEFAULT 0,
    is_overheard        INTEGER NOT NULL DEFAULT 0,  -- said to others, and the model has not heard of it
    is_command          INTEGER NOT NULL DEFAULT 0,
    words               TEXT,                        -- what is to be said about the command; empty once it was
    sent_at             REAL,
    received_at         REAL    NOT NULL,
    PRIMARY KEY (thread, id),
    FOREIGN KEY (thread, turn) REFERENCES turn
) WITHOUT ROWID;

CREATE INDEX message_by_id ON message (id);
CREATE INDEX message_of_turn ON message (thread, turn, position);
CREATE INDEX overheard_message ON message (thread) WHERE is_overheard = 1;
CREATE INDEX unconfirmed_command ON message (thread) WHERE words <> '';

CREATE TABLE part (
    thread       TEXT    NOT NULL,
    turn         TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    message_id   TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    text         TEXT,                -- this and the next only where text is kept
    attachments  TEXT,                -- JSON: [[id, name, mime_type, size], ...]
    PRIMARY KEY (thread, turn, number),
    FOREIGN KEY (thread, turn) REFERENCES turn ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX part_by_message ON part (message_id);

-- What a platform handed over and has no thread yet, until it has one. Its id stays until it can come no more.
CREATE TABLE parcel (
    id        TEXT NOT NULL PRIMARY KEY,  -- platform:id
    content   TEXT NOT NULL,              -- the adapter's own; empty once it was placed
    until     REAL NOT NULL
) WITHOUT ROWID;

CREATE INDEX parcel_by_until ON parcel (until);

-- How far a channel was heard when looking for what was missed in it began, until that is done.
CREATE TABLE gap (
    place     TEXT NOT NULL PRIMARY KEY,  -- platform:installation:channel
    newest    TEXT NOT NULL,
    heard_at  REAL NOT NULL
) WITHOUT ROWID;

-- Every interaction created at Gemini, kept even when its turn is gone: forgetting a thread deletes them all there.
CREATE TABLE interaction (
    thread      TEXT NOT NULL REFERENCES thread ON DELETE CASCADE,
    id          TEXT NOT NULL,
    turn        TEXT NOT NULL,
    created_at  REAL NOT NULL,
    PRIMARY KEY (thread, id)
) WITHOUT ROWID;
