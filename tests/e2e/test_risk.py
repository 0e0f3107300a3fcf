"""The risks that a release touches, from the gate's decision to the plan of its rollout."""


def demand(site, words):
    path = site.repository / "risk-register.yml"
    text = path.read_text()
    entry = (
        "  - id: R-9\n"
        "    title: The catalogue shows nothing\n"
        "    likelihood: 2\n"
        "    impact: 3\n"
        "    flow: catalogue\n"
        '    paths: ["courses/**"]\n'
        "    owner: catalogue\n"
        "    treatment: Its pages are tested\n"
        "    due: 2027-06-30\n"
        "    effort: 1\n"
        f"    demands: {words}\n"
    )
    path.write_text(text.rstrip("\n") + "\n" + entry)
    site.scene.git("commit", "--quiet", "--all", "--message=A risk of the catalogue")
    site.scene.git("push", "--quiet", "origin", "HEAD")


def test_what_a_risk_demands_is_in_the_plan_with_its_reason(site):
    site.config("steps: [50%, 100%]", "steps: [100%]")
    site.config("metrics: [courses, health]", "metrics: [health]")
    demand(site, "{steps: [50%], slower: 2}")
    site.must("adopt")
    site.release("2-search")
    planned = site.must("plan")
    assert "R-9 (The catalogue shows nothing) demands" in planned.out, planned
    assert "watched for 6 s" in planned.out, planned
    site.must("rollout", "v2")
    planned = [event for event in site.events() if event["type"] == "rollout.planned"][-1]
    plan = planned["body"]["plan"]
    assert [step["share_ppm"] for step in plan["steps"]] == [500000, 1000000]
    assert "R-9" in plan["risk_why"]
    site.must("verify")


def test_approvals_that_nobody_can_give_are_refused_before_anything_is_touched(site):
    demand(site, "{approvals: 2}")
    site.release("2-search")
    refused = site.must("rollout", "v2", code=1)
    assert "demand 2 approvals" in refused.err and "R-9" in refused.err, refused
    assert site.serving() == {"v1"}
