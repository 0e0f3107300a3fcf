from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Order").objects.update(note="it's")


class Migration(migrations.Migration):
    """Names: 'operations' = [ stands here too."""

    dependencies = [("shop", "0006_more")]
    # sluice: compatible since v812
    operations = [
        migrations.AddField("order", "note", models.TextField(null=True)),  # ] not the end
        migrations.RunPython(fill, reverse_code=migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL('''ALTER TABLE a DROP COLUMN b;''', "")],
            state_operations=[migrations.RemoveField("order", "b")],
        ),
    ]
