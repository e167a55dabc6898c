import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("sandbox", "0001_telegram"),
    ]

    operations = [
        migrations.CreateModel(
            name='PakasirFault',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call', models.CharField(choices=[('create', 'Create'), ('status', 'Status'), ('cancel', 'Cancel'), ('fee', 'Fee')], max_length=10)),
                ('kind', models.CharField(choices=[('timeout', 'Timeout'), ('timeout_after_effect', 'Timeout After Effect'), ('429', 'Limited'), ('500', 'Error'), ('html', 'Html'), ('empty', 'Empty'), ('slow', 'Slow'), ('wrong_amount', 'Wrong Amount'), ('sandbox_flag', 'Sandbox Flag')], max_length=20)),
                ('times', models.PositiveIntegerField(default=1)),
                ('used', models.PositiveIntegerField(default=0)),
                ('delay_ms', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='PakasirWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('passed', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='PakasirTransaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('txn_id', models.CharField(max_length=40, unique=True)),
                ('project', models.CharField(max_length=100)),
                ('order_id', models.CharField(max_length=255)),
                ('amount', models.BigIntegerField()),
                ('fee', models.BigIntegerField()),
                ('total_payment', models.BigIntegerField()),
                ('paid_amount', models.BigIntegerField(null=True)),
                ('qr_string', models.TextField()),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('completed', 'Completed'), ('canceled', 'Canceled')], default='pending', max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expired_at', models.DateTimeField()),
                ('completed_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'order_id'), name='pakasir_order_id_once_per_project'), models.CheckConstraint(condition=models.Q(models.Q(('completed_at__isnull', False), ('status', 'completed')), models.Q(models.Q(('status', 'completed'), _negated=True), ('completed_at__isnull', True)), _connector='OR'), name='pakasir_completed_has_its_time')],
            },
        ),
    ]
