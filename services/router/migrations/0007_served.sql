-- Who served a person before: asked for every lead of a batch by policies that let persons stay with a site.
CREATE INDEX leads_served ON leads (person_id, intent) WHERE closed IN ('accepted', 'outcome');
