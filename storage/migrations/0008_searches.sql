-- How many queries an answer put to Google Search, which is billed by the query.
ALTER TABLE turn ADD COLUMN searches INTEGER;
ALTER TABLE erased_turn ADD COLUMN searches INTEGER NOT NULL DEFAULT 0;
