from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_ledger_append_only'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='ledgerentry',
            options={'verbose_name': 'balance movement'},
        ),
        migrations.AlterModelOptions(
            name='staffchat',
            options={'verbose_name': 'staff group'},
        ),
    ]
