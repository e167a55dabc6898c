-- The audit trail has a database of its own. PostgreSQL's image runs this once, with the first start.
CREATE DATABASE quickcart_audit;
