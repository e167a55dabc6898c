from django.db import migrations

BATCH = 500
COLUMNS = ["position", "previous_hash", "hash"]


def chain_rows(apps, schema_editor):
    """Chain what an earlier version has shipped, in its order; the next shipment adopts it."""
    if schema_editor.connection.alias != "audit":
        return
    from audit.chain import GENESIS, place

    rows = apps.get_model("audit", "AuditEntry").objects.using("audit")
    last_hash, batch = GENESIS, []
    for position, row in enumerate(rows.order_by("pk").iterator(BATCH), start=1):
        place(row, position=position, previous_hash=last_hash)
        last_hash = row.hash
        batch.append(row)
        if len(batch) == BATCH:
            rows.bulk_update(batch, COLUMNS)
            batch = []
    rows.bulk_update(batch, COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_chain_and_personal_keys")]
    operations = [migrations.RunPython(chain_rows, migrations.RunPython.noop)]
