"""The database refuses transitions that no payment may make; completed is final."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_payment_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payment % cannot go from % to %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER payment_transition BEFORE UPDATE OF status ON payments_payment
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('creating', 'pending'), ('creating', 'completed'), ('creating', 'expired'),
        ('creating', 'cancelled'), ('creating', 'failed'),
        ('pending', 'completed'), ('pending', 'expired'), ('pending', 'cancelled'),
        ('pending', 'failed'),
        ('expired', 'completed'), ('cancelled', 'completed'), ('failed', 'completed')
    )) EXECUTE FUNCTION refuse_payment_transition();
"""
BACKWARD = """
DROP TRIGGER payment_transition ON payments_payment;
DROP FUNCTION refuse_payment_transition();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_turns_reports_payments_by_hand")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
