-- Operators' orders cause decisions too. (An index serves a question only when it covers every topic that is asked for.)

CREATE INDEX records_by_cause ON records (fact_id)
    WHERE topic IN ('leads.answered', 'leads.due', 'leads.ordered', 'people.erased');
DROP INDEX records_by_fact;
