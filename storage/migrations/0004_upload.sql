-- Files handed to Gemini, each written before it is sent: used again while Gemini keeps it, deleted with its thread.
CREATE TABLE upload (
    thread      TEXT    NOT NULL REFERENCES thread ON DELETE CASCADE,
    name        TEXT    NOT NULL,  -- files/..., chosen here
    attachment  TEXT    NOT NULL,  -- the platform's id
    kind        TEXT    NOT NULL,
    mime_type   TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    uri         TEXT,              -- none while it is not known whether it arrived
    expires_at  REAL    NOT NULL,
    PRIMARY KEY (thread, name)
) WITHOUT ROWID;

CREATE INDEX upload_of_attachment ON upload (thread, attachment, expires_at);
CREATE INDEX upload_by_expiry ON upload (expires_at);
