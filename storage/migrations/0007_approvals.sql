-- Functions that wait for somebody's approval before they are called.
CREATE TABLE approval (
    thread    TEXT NOT NULL,
    turn      TEXT NOT NULL,
    name      TEXT NOT NULL,  -- chosen here: of the interaction that calls for them
    asked_at  REAL NOT NULL,
    approved  INTEGER,        -- none while it is waited for
    begun     INTEGER NOT NULL DEFAULT 0,  -- what was approved was begun, and may have been done
    PRIMARY KEY (thread, turn, name),
    FOREIGN KEY (thread, turn) REFERENCES turn ON DELETE CASCADE
) WITHOUT ROWID;
