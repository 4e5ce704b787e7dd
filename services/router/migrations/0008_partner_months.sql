-- Leads that a partner was given in a city (in lower case) in one month, whatever became of them; only where the policy
-- in effect at the time had a share for it. Months are those of Asia/Shanghai, by their first day.
CREATE TABLE partner_months (
    month   date NOT NULL,
    city    text NOT NULL,
    partner text NOT NULL,
    given   int NOT NULL,
    PRIMARY KEY (month, city, partner)
) WITH (fillfactor = 40);

GRANT SELECT ON partner_months TO waypost_audit;
