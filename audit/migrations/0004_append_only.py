"""What each database refuses. They differ: the main one ships and lets go, the other keeps all."""

from django.db import migrations

REFUSE = """
    RAISE EXCEPTION 'audit entries are never changed: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
"""
# *= compares what is stored, byte by byte: to jsonb's =, 1.0 and 1.00 would be the same.
MAIN = f"""
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unmarked audit_auditentry;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.shipped_at IS NULL AND NEW.shipped_at IS NOT NULL THEN
        unmarked := NEW;
        unmarked.shipped_at := NULL;
        IF unmarked *= OLD THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' AND OLD.shipped_at IS NOT NULL THEN
        RETURN OLD;
    END IF;
    {REFUSE}
END $$;
"""
AUDIT = f"""
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {REFUSE}
END $$;
"""
TRIGGERS = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
"""
BACKWARD = """
DROP TRIGGER audit_no_truncate ON audit_auditentry;
DROP TRIGGER audit_append_only ON audit_auditentry;
DROP FUNCTION refuse_audit_change();
"""


def forward(_apps, schema_editor):
    # Nothing to fill in: a parameter list would make of each % a placeholder.
    function = AUDIT if schema_editor.connection.alias == "audit" else MAIN
    schema_editor.execute(function + TRIGGERS, params=None)


def backward(_apps, schema_editor):
    schema_editor.execute(BACKWARD, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_chain_what_is_there")]
    operations = [migrations.RunPython(forward, backward)]
