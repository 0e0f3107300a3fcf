"""Migrations of a real database while releases go out: what known good can live with, and what not."""

import json
import sqlite3

ADD_NOTE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_initial")]
    operations = [
        migrations.AddField("course", "note", models.TextField(null=True)),
    ]
"""
FILL_NOTE = """\
from django.db import migrations

{comment}
class Migration(migrations.Migration):
    dependencies = [("courses", "0002_note")]
    operations = [
        migrations.RunSQL("UPDATE courses_course SET note = 'none'"),
    ]
"""


def migrating(site):
    database = site.scene.directory / "database/learn.sqlite3"
    site.config(
        "    drain: ",
        f"    migrate: LEARN_DATABASE={database} /usr/bin/python3 manage.py migrate --noinput\n"
        "    drain: ",
    )
    unknown = site.must("plan")
    assert "no way back once it is staged: which migrations came since" in unknown.out, unknown
    site.must("adopt", "--commit", "HEAD")


def columns(site):
    with sqlite3.connect(site.scene.directory / "database/learn.sqlite3") as database:
        return {row[1] for row in database.execute("PRAGMA table_info(courses_course)")}


def change(site, files):
    """A commit with these files, pushed, and let pass by the gate; gives its id."""
    for name, text in files.items():
        (site.repository / name).write_text(text)
    git = site.scene.git
    git("add", "--all")
    git("commit", "--quiet", "--message=Courses have notes")
    git("push", "--quiet", "origin", "HEAD")
    site.decide()
    return git("rev-parse", "HEAD")


def with_note(site):
    models = (site.repository / "courses/models.py").read_text()
    field = "    places = models.PositiveIntegerField("
    note = "    note = models.TextField(null=True)\n"
    return {
        "courses/models.py": models.replace(field, note + field),
        "courses/migrations/0002_note.py": ADD_NOTE,
    }


def with_notes_filled(comment=""):
    return {"courses/migrations/0003_filled.py": FILL_NOTE.format(comment=comment)}


def notes(site):
    with sqlite3.connect(site.scene.directory / "database/learn.sqlite3") as database:
        return {row[0] for row in database.execute("SELECT note FROM courses_course")}


def test_what_is_added_goes_out_as_ever_and_may_be_taken_back(site):
    migrating(site)
    change(site, with_note(site))
    assert "no way back" not in site.must("plan").out
    site.must("rollout", "v2")
    assert "note" in columns(site)
    assert site.serving() == {"v2"}
    site.must("rollback", "--yes", "--reason", "a rehearsal")
    assert site.serving() == {"v1"}
    site.must("verify")


def test_what_known_good_needs_is_not_dropped_unless_a_person_accepts_it(site):
    migrating(site)
    change(site, with_note(site))
    site.must("rollout", "v2")
    change(site, with_notes_filled())
    where = "courses/migrations/0003_filled.py:7: RunSQL: UPDATE courses_course is irreversible"
    assert where in site.must("plan").out
    refused = site.must("rollout", "v3", code=1)
    assert where in refused.err and "--no-return REASON" in refused.err, refused
    assert notes(site) == {None}
    site.must("rollout", "v3", "--no-return", "the notes were never shown")
    assert notes(site) == {"none"}
    planned = [event for event in site.events() if event["type"] == "rollout.planned"][-1]
    assert "the notes were never shown" in json.dumps(planned)
    site.must("verify")


def test_a_bad_release_without_a_way_back_is_held_until_a_person_decides(site):
    migrating(site)
    site.name_a_watcher()
    change(site, with_note(site))
    site.must("rollout", "v2")
    site.scene.commit("2-search")
    site.scene.commit("3-recommend")
    change(site, with_notes_filled())
    held = site.must("rollout", "v3", "--no-return", "never shown", "--wait", "suspend", code=1)
    assert "held" in held.out and "not taken back by itself" in held.out, held
    assert "v3" in site.serving()
    opened = [event for event in site.events() if event["type"] == "incident.opened"]
    assert [event["body"]["severity"] for event in opened] == ["P1"], opened
    site.must("rollback", "--yes", "--reason", "the catalogue is broken")
    assert site.serving() == {"v2"}
    site.must("verify")


def test_the_authors_word_is_checked_against_what_is_known_good(site):
    migrating(site)
    change(site, with_note(site))
    comment = "# sluice: compatible since {}\n"
    site.must("rollout", "v2")
    change(site, with_notes_filled(comment.format("v9")))
    refused = site.must("rollout", "v3", code=1)
    assert "it says that it is compatible since v9, but" in refused.err, refused
    change(site, with_notes_filled(comment.format("v2")))
    site.must("rollout", "v4")
    assert notes(site) == {"none"}
    site.must("verify")


def test_a_migration_that_cannot_be_read_is_said_with_its_line(site):
    migrating(site)
    broken = with_note(site)
    broken["courses/migrations/0002_note.py"] = ADD_NOTE.replace("    ]\n", "")
    for name, text in broken.items():
        (site.repository / name).write_text(text)
    site.scene.git("add", "--all")
    site.scene.git("commit", "--quiet", "--message=Broken")
    refused = site.must("plan", code=2)
    assert "courses/migrations/0002_note.py:6: the file ends within a list" in refused.err, refused
