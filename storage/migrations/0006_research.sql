-- What is made in the background at Gemini: research by agents, and answers that take too long for a plain request.

ALTER TABLE turn ADD COLUMN agent TEXT;     -- that researches for it, or was about to
ALTER TABLE turn ADD COLUMN begun_at REAL;  -- when its interaction was begun in the background

-- It goes on at Gemini until it is done or cancelled, as far as is known here.
ALTER TABLE interaction ADD COLUMN runs INTEGER NOT NULL DEFAULT 0;

CREATE INDEX running_interaction ON interaction (thread) WHERE runs = 1;

-- How many researches were begun on a day, counted in days since the epoch. Forgetting a thread gives nobody one back.
CREATE TABLE research (
    day    INTEGER NOT NULL PRIMARY KEY,
    begun  INTEGER NOT NULL
) WITHOUT ROWID;
