-- Chains that grow too long at Gemini, and are gone on from by way of a summary.

-- The interaction that sums up what was said before: the question is asked after that, and not after `previous`.
ALTER TABLE turn ADD COLUMN summary TEXT;

-- What the next question has before it: input and output of the answer, without those of a summary made for it.
ALTER TABLE turn ADD COLUMN chain_tokens INTEGER;
