-- Threads that are being forgotten, until everything of them is gone at Gemini and here.

CREATE TABLE forgetting (
    thread      TEXT    NOT NULL PRIMARY KEY REFERENCES thread ON DELETE CASCADE,
    epoch       INTEGER NOT NULL,            -- everything of earlier ones is to go
    command     TEXT,                        -- the message that asked for it; none when the thread was merely old
    begun_at    REAL    NOT NULL,
    deleted     INTEGER NOT NULL DEFAULT 0,  -- interactions that are gone at Gemini
    files       INTEGER NOT NULL DEFAULT 0,  -- files that are gone there
    files_left  INTEGER NOT NULL DEFAULT 0,  -- files that could not be deleted, and go there by themselves
    report      TEXT                         -- what is still to be said about it, since all was erased here
) WITHOUT ROWID;

-- Why it could not be deleted at Gemini; it is tried again when its thread is told to be forgotten again.
ALTER TABLE interaction ADD COLUMN undeleted TEXT;

-- What erased turns took, by day: it still counts towards the caps, and stands in the bill.
CREATE TABLE erased_turn (
    day             INTEGER NOT NULL,  -- since the epoch, UTC
    asker           TEXT    NOT NULL,
    model           TEXT    NOT NULL,  -- empty for turns without an answer
    turns           INTEGER NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    thought_tokens  INTEGER NOT NULL,
    cached_tokens   INTEGER NOT NULL,
    tool_tokens     INTEGER NOT NULL,
    total_tokens    INTEGER NOT NULL,
    PRIMARY KEY (day, asker, model)
) WITHOUT ROWID;

-- What is too old is looked for. A thread of which nothing is kept but ids is of no age: its time is 0.
CREATE INDEX thread_by_age ON thread (updated_at);
