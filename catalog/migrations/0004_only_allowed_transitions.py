"""The database refuses transitions that no stock item may make; sold and withdrawn are final."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_stock_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock item % cannot go from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER stock_transition BEFORE UPDATE OF state ON catalog_stockitem
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('available', 'reserved'), ('reserved', 'sold'), ('reserved', 'available'),
        ('available', 'withdrawn')
    )) EXECUTE FUNCTION refuse_stock_transition();
"""
BACKWARD = """
DROP TRIGGER stock_transition ON catalog_stockitem;
DROP FUNCTION refuse_stock_transition();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_stock_key_id")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
