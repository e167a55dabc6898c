"""The database refuses transitions that no order and no voucher use may make.

An ended order comes back for late money only, so it must be paid by the end of that transaction.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_order_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order % cannot go from % to %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER order_transition BEFORE UPDATE OF status ON orders_order
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'paid'), ('pending', 'expired'), ('pending', 'cancelled'),
        ('expired', 'pending'), ('cancelled', 'pending')
    )) EXECUTE FUNCTION refuse_order_transition();

CREATE FUNCTION refuse_unpaid_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM orders_order WHERE id = NEW.id AND status = 'pending') THEN
        RAISE EXCEPTION 'order % was reopened and not paid', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER order_reopened AFTER UPDATE OF status ON orders_order
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status IN ('expired', 'cancelled') AND NEW.status = 'pending')
    EXECUTE FUNCTION refuse_unpaid_reopening();

CREATE FUNCTION refuse_voucher_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'voucher use % cannot go from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER voucher_use_transition BEFORE UPDATE OF state ON orders_voucheruse
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('reserved', 'consumed'), ('reserved', 'released'), ('released', 'reserved')
    )) EXECUTE FUNCTION refuse_voucher_transition();
"""
BACKWARD = """
DROP TRIGGER voucher_use_transition ON orders_voucheruse;
DROP FUNCTION refuse_voucher_transition();
DROP TRIGGER order_reopened ON orders_order;
DROP FUNCTION refuse_unpaid_reopening();
DROP TRIGGER order_transition ON orders_order;
DROP FUNCTION refuse_order_transition();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_refunds")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
