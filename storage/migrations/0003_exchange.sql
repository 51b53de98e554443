-- Questions and answers of private threads, of which Gemini keeps nothing: each as Gemini is told of it again.
--
-- They are linked as interactions are at Gemini: each names the one it goes on from. One that is not needed any more is
-- deleted, not blanked.

CREATE TABLE exchange (
    thread       TEXT    NOT NULL,
    turn         TEXT    NOT NULL,
    interaction  TEXT    NOT NULL,            -- the answer's: what the thread stands on after it
    previous     TEXT,                        -- the one it goes on from, if any
    said         TEXT    NOT NULL,            -- JSON: the user inputs; a file in them as message and attachment
    answered     TEXT    NOT NULL,            -- JSON objects, one a line: Gemini's steps, signatures and all
    characters   INTEGER NOT NULL,            -- of both, files left aside
    bytes        INTEGER NOT NULL,            -- of both in all
    is_cut       INTEGER NOT NULL DEFAULT 0,  -- not all of the thread was told with it
    missing      TEXT,                        -- JSON: ids of the attachments that could not be had again for it
    PRIMARY KEY (thread, turn),
    FOREIGN KEY (thread, turn) REFERENCES turn ON DELETE CASCADE
);

CREATE INDEX exchange_by_interaction ON exchange (thread, interaction);
