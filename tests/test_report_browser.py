"""The report in a real browser, opened from disk: pages, search, matrix, keyboard, dark mode, print."""

import csv
import itertools
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from chromium import MARKS, started
from ingest_inputs import attached, export, user, write

from bench.generate import generate
from pipeline import reference
from pipeline.build import build_lake
from pipeline.errors import printable
from pipeline.evaluate.scenario_files import chosen, file_of, read_scenarios
from pipeline.evaluate.under import put_under
from pipeline.lake import open_lake
from pipeline.report import write_report
from pipeline.report.findings import SHOWN
from pipeline.report.tables import SHOWN as ROWS
from pipeline.simulate import simulate_lines
from tests import report_reading as reading

pytestmark = MARKS
AXE = Path(__file__).resolve().parents[1] / ".axe" / "node_modules" / "axe-core" / "axe.min.js"
DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 800}
NOTEBOOK = "arn:aws:sagemaker:us-east-1:333344445555:notebook-instance/"
HANA = "arn:aws:iam::333344445555:user/hana"
ANA = "arn:aws:iam::333344445555:user/ana"
PAGES = ("index.html", "matrix.html", "actions.html", "findings.html", "rejects.html", "provenance.html",
         "conditions.html", "actions/iam-PassRole.html", "accounts/333344445555.html",
         f"principal.html#{HANA}")  # fmt: skip
INVENTORY = f"inventory.html#principal={HANA}&action=sagemaker:StopNotebookInstance"


@pytest.fixture(scope="module")
def browser():
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def site(sample_lake, tmp_path_factory):
    """The address of the sample's report on disk, in a folder whose name needs escaping."""
    return write_report(open_lake(sample_lake), tmp_path_factory.mktemp("a report #1") / "out").parent.as_uri()


@pytest.fixture(scope="module")
def generated(generated_lake, tmp_path_factory):
    """The address of the report of a generated organization."""
    return write_report(open_lake(generated_lake), tmp_path_factory.mktemp("generated") / "out").parent.as_uri()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    reading.write_hostile_inputs(folder / "inputs")
    build_lake([folder / "inputs"], folder / "lake")
    return write_report(open_lake(folder / "lake"), folder / "out").parent


@pytest.fixture
def open_page(browser):
    """Opens pages; at the end none of them may have printed an error, shown a dialog or asked a network."""
    contexts, troubles = [], []

    def opened(address, size=DESK, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on(
            "console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda asked: None if asked.url.startswith(("file:", "data:")) else troubles.append(asked.url)
        )
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def settled(page):
    """Wait until the matrix has read all scripts, and return its line of status."""
    page.locator("#grid[aria-busy=false]").wait_for()
    return page.locator("#status").inner_text()


@pytest.mark.parametrize("place", PAGES)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_opens_from_disk_without_errors_and_fits_the_window(open_page, site, place, size):
    page = open_page(f"{site}/{place}", size)
    page.wait_for_load_state()
    page.wait_for_timeout(150)
    assert page.locator("h1").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.locator("[role=alert]").count() == 0


def test_a_person_finds_a_principal_and_opens_its_page(open_page, site):
    page = open_page(f"{site}/index.html")
    page.get_by_label("Find a principal or an action").fill("hana")
    page.keyboard.press("Enter")
    page.wait_for_url("**/matrix.html#q=hana")
    assert settled(page).startswith("1 of 106 principals")
    page.get_by_role("link", name="hana", exact=True).click()
    page.wait_for_url("**/principal.html#*")
    page.get_by_role("heading", name=re.compile("^hana")).wait_for()
    text = page.locator("main").inner_text()
    for words in (HANA, "DataScientists", "What it can do", "What limits it", "protect-guardrails", "granted by"):
        assert words in text


def test_the_name_of_an_action_in_the_search_field_leads_to_its_page(open_page, site):
    page = open_page(f"{site}/actions/iam-PassRole.html")
    page.get_by_label("Find a principal or an action").fill("sagemaker:createendpoint")
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/sagemaker-CreateEndpoint.html")


def test_an_address_of_the_matrix_is_read_in_any_case_and_an_unknown_order_is_the_first(open_page, site):
    page = open_page(f"{site}/matrix.html#task=deploy&sort=nothing&rows=x")
    settled(page)
    assert page.locator("[name=task]").input_value() == "Deploy"
    for name, first in (("sort", "by name"), ("rows", "account")):
        assert page.locator(f"[name={name}]").evaluate("field => field.selectedOptions[0].text") == first


def test_filters_of_the_matrix_are_in_the_address_and_a_copied_link_keeps_them(open_page, site):
    page = open_page(f"{site}/matrix.html")
    settled(page)
    page.locator("select[name=account]").select_option("333344445555")
    page.get_by_role("searchbox", name="Action").fill("sagemaker:DescribeNotebookInstance")
    page.locator("select[name=verdict]").select_option("conditional")
    line = settled(page)
    shown = page.locator(".row .name a").all_inner_texts()
    assert "ana" in shown
    assert "hana" not in shown
    again = open_page(page.url)
    assert settled(again) == line
    assert again.locator(".row .name a").all_inner_texts() == shown
    assert again.locator("select[name=verdict]").input_value() == "conditional"
    again.get_by_role("button", name="Clear").click()
    assert settled(again).startswith("106 of 106 principals, ")
    assert "#" not in again.url.replace("%23", "")


def test_only_the_cells_in_sight_are_in_the_page_and_scrolling_brings_the_others(open_page, site):
    page = open_page(f"{site}/matrix.html")
    settled(page)
    assert page.locator(".cell").count() < 3000
    page.locator("#grid").evaluate("grid => grid.scrollTo(grid.scrollWidth, grid.scrollHeight)")
    page.get_by_role("link", name="08-source-vpce", exact=True).wait_for()
    assert page.locator(".cell").count() < 3000


def test_cells_differ_in_shape_and_say_their_verdict(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555")
    settled(page)
    shapes = {}
    for word in ("allowed", "conditional", "denied", "blocked", "none"):
        cell = page.locator(f".cell.v-{word}").first
        assert cell.get_attribute("aria-label").startswith(f"{word}: ")
        shapes[word] = cell.locator(".shape").evaluate("shape => getComputedStyle(shape).clipPath")
    assert len(set(shapes.values())) == 5
    assert "none" not in shapes.values()


def test_the_keyboard_reaches_the_cells_and_enter_opens_the_answer(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=user/ana&action=sagemaker:DescribeNotebookInstance")
    settled(page)
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("conditional: ana, ")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.textContent") == "ana"
    page.keyboard.press("ArrowRight")
    assert "conditional" in page.locator("#cellinfo").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/principal.html#*action=*")
    page.locator(".group dt", has_text="condition").wait_for()
    assert "tagged Project = B" in page.locator(".group").inner_text()
    assert page.locator(".group").count() == 1


def letters(page, name):
    """The verdicts of the cells that a row of the matrix shows."""
    row = page.locator(".row", has=page.get_by_role("link", name=name, exact=True))
    return [
        text.split(":")[0]
        for text in row.locator(".cell").evaluate_all("cells => cells.map(c => c.getAttribute('aria-label'))")
    ]


def test_a_scenario_reads_conditional_cells_again_and_the_back_button_undoes_it(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=office-trainer&action=sagemaker:CreateTrainingJob")
    settled(page)
    assert letters(page, "office-trainer") == ["conditional"]
    page.locator("select[name=scenario]").select_option("From the office network")
    page.get_by_text("Read again for requests: From the office network").wait_for()
    assert letters(page, "office-trainer") == ["allowed"]
    assert "scenario=office-network" in page.url
    page.wait_for_timeout(1300)
    page.locator("select[name=scenario]").select_option("Inside a VPC")
    page.get_by_text("Read again for requests: Inside a VPC").wait_for()
    assert letters(page, "office-trainer") == ["denied"]
    page.go_back()
    page.get_by_text("Read again for requests: From the office network").wait_for()
    assert letters(page, "office-trainer") == ["allowed"]
    assert page.locator("select[name=scenario]").input_value() == "office-network"
    again = open_page(page.url)
    again.get_by_text("Read again for requests: From the office network").wait_for()
    assert letters(again, "office-trainer") == ["allowed"]


def deploying(lake, accounts):
    """Who can replace a model in the accounts that the SQL tells, called from the internet."""
    known = reference.load()
    opened = open_lake(lake)
    put_under(opened, chosen(read_scenarios(file_of(None), known), "internet"), known)
    return opened.query(
        "select principal_name from access_matrix inner join principals using (principal_arn)"
        f" where action = 'sagemaker:UpdateEndpoint' and access_matrix.account_id in ({accounts})"
        " and verdict in ('allowed', 'conditional')"
    )["principal_name"].to_pylist()


def test_three_clicks_tell_who_can_deploy_to_production_from_outside_the_vpc(open_page, site, sample_lake):
    page = open_page(f"{site}/index.html")
    page.locator("li", has_text="may replace the model behind an endpoint").get_by_role("link").click()
    settled(page)
    page.locator("select[name=account]").select_option(label="ml-prod 444455556666")
    page.locator("select[name=scenario]").select_option("From the internet")
    page.get_by_text("Read again for requests: From the internet").wait_for()
    wanted = deploying(sample_lake, "'444455556666'")
    assert sorted(page.locator(".row .name a").all_text_contents()) == sorted(wanted)
    assert len(wanted) > 1


def test_three_clicks_tell_the_same_where_production_is_a_unit_with_others_below(open_page, generated, generated_lake):
    below = "select account_id from account_ancestors where target_name = 'Prod'"
    units = open_lake(generated_lake).query(
        f"select distinct level from account_ancestors where account_id in ({below}) and target_name like 'account-%'"
    )
    assert units.num_rows > 1
    page = open_page(f"{generated}/index.html", {"width": 1360, "height": 2000})
    page.locator("li", has_text="may replace the model behind an endpoint").get_by_role("link").click()
    settled(page)
    page.locator("select[name=unit]").select_option(label="– – Prod")
    settled(page)
    before = len(page.locator(".row .name a").all_text_contents())
    page.locator("select[name=scenario]").select_option("From the internet")
    page.get_by_text("Read again for requests: From the internet").wait_for()
    wanted = deploying(generated_lake, below)
    assert settled(page).startswith(f"{len(wanted)} of 400 principals")
    assert sorted(page.locator(".row .name a").all_text_contents()) == sorted(wanted)
    assert 1 < len(wanted) < before


def test_two_clicks_lead_to_the_worst_grant_and_what_to_write_instead(open_page, site):
    page = open_page(f"{site}/index.html")
    page.get_by_role("link", name="1 critical finding").click()
    first = page.locator("section", has=page.locator("h2")).first
    first.locator("summary", has_text="corrected statement").click()
    assert first.locator("del").all_inner_texts()[-1].split() == ["-", '"iam:AttachRolePolicy"']
    assert first.locator("a", has_text="SageMakerConsole").first.get_attribute("href").startswith("policy.html#")


def test_two_clicks_lead_to_the_worst_role_and_the_commands_that_mend_it(open_page, generated, generated_lake):
    page = open_page(f"{generated}/index.html")
    page.get_by_role("link", name=re.compile(r"^\d+ critical findings$")).click()
    row = page.locator("section", has=page.locator("h2")).first.locator("tbody tr").first
    row.locator("summary", has_text="commands").click()
    arn, name = row.locator("a").first.inner_text(), row.locator("a").first.inner_text().split("/")[-1]
    commands = [line for line in row.locator("pre").inner_text().split("\n") if line]
    held = open_lake(generated_lake).query(
        "select coalesce(policy_arn, policy_name) as policy from principal_policies where principal_arn = $arn",
        {"arn": arn},
    )["policy"].to_pylist()  # fmt: skip
    assert commands[0].endswith(f" --arn {arn}")
    taken = [line for line in commands if f"-role-policy --role-name {name} --policy-" in line and "put-" not in line]
    assert taken
    assert {line.split()[-1] for line in taken} <= set(held)


SETTINGS = (
    ("actions.html", "[data-hash=q]", "iam:"),
    ("actions/sagemaker-CreateEndpoint.html", "[name=if]", "aws:SourceVpc=vpc-111bbaaa"),
    (f"principal.html#{HANA}", "[name=action]", "sagemaker:CreateModel"),
    (f"resource.html#{NOTEBOOK}nlp-01", "#resource [type=search]", "Stop"),
    ("inventory.html", "select[name=action]", "sagemaker:DeleteModel"),
    ("inventory.html", "select[name=scenario]", "vpc"),
)


@pytest.mark.parametrize(("place", "field", "value"), SETTINGS)
def test_what_a_reader_sets_is_in_the_address_of_every_page(open_page, site, place, field, value):
    """A copied link keeps it, and the back button undoes it."""
    page = open_page(f"{site}/{place}")
    control = page.locator(f"main {field}").first
    control.wait_for()
    page.wait_for_load_state("networkidle")
    before, address = control.input_value(), page.url
    if field.startswith("select"):
        control.select_option(value)
    else:
        control.fill(value)
    page.wait_for_url(lambda url: url != address)
    again = open_page(page.url).locator(f"main {field}").first
    again.wait_for()
    assert again.input_value() == value
    page.go_back()
    page.wait_for_function(
        "([field, value]) => document.querySelector('main ' + field)?.value === value", arg=[field, before]
    )
    assert page.url == address


def test_a_reader_types_a_context_and_sees_who_could(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=vpc-caller&action=sagemaker:DescribeModel")
    settled(page)
    assert letters(page, "vpc-caller") == ["conditional"]
    page.get_by_label("What if").fill("aws:SourceVpc=vpc-111bbaaa")
    page.get_by_text("Read again for requests: aws:SourceVpc=vpc-111bbaaa").wait_for()
    assert letters(page, "vpc-caller") == ["allowed"]
    page.get_by_text("Read again for requests").click()
    page.get_by_text("aws:SourceIp is absent").wait_for()
    page.get_by_label("What if").fill("aws:SourceVpc=vpc-999")
    page.get_by_text("Read again for requests: aws:SourceVpc=vpc-999").wait_for()
    assert letters(page, "vpc-caller") == ["denied"]
    page.locator("select[name=verdict]").select_option("denied")
    page.get_by_role("link", name="vpc-caller", exact=True).click()
    page.wait_for_url("**/principal.html#*aws:SourceVpc*")
    page.get_by_text("what is taken for granted: no such request meets the conditions").first.wait_for()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vpc-1", "a key with its value is expected"),
        ("aws:SourceIp=10.0.0.0/8", "write one address"),
        ("aws:MultiFactorAuthPresent=maybe", "write true or false"),
        ("aws:username=ana", "it tells who calls"),
        ("aws:SourceVpc=vpc-1 aws:SourceIp=192.0.2.1", "exclude each other"),
        ("aws:SourceVpc=vpc-1 aws:sourcevpc=vpc-2", "given twice"),
        ("aws:SourceVpc=vpc-1,vpc-2", "aws:SourceVpc: one value is expected, without commas and wildcards"),
        ("aws:SourceVpce=*", "one value is expected"),
        ("aws:RequestedRegion=us-*", "one value is expected"),
    ],
)
def test_a_context_that_cannot_be_is_told_and_changes_nothing(open_page, site, text, says):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=office-trainer&action=sagemaker:CreateTrainingJob")
    settled(page)
    before = letters(page, "office-trainer")
    page.get_by_label("What if").fill(text)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert says in alert.inner_text()
    assert letters(page, "office-trainer") == before


def test_a_report_of_one_scenario_lets_a_reader_add_to_it_and_choose_no_other(open_page, sample_lake, tmp_path):
    known = reference.load()
    scenario = chosen(read_scenarios(file_of(None), known), "office-network")
    lake = open_lake(sample_lake)
    put_under(lake, scenario, known)
    site = write_report(lake, tmp_path / "out", scenario=scenario).parent.as_uri()
    page = open_page(f"{site}/matrix.html#account=333344445555&q=user/quinn&action=sagemaker:DeleteModel")
    settled(page)
    assert not page.locator("select[name=scenario]").is_visible()
    assert letters(page, "quinn") == ["conditional"]
    page.get_by_label("What if").fill("aws:MultiFactorAuthPresent=true")
    page.get_by_text("From the office network, aws:MultiFactorAuthPresent=true").wait_for()
    assert letters(page, "quinn") == ["allowed"]
    page.get_by_label("What if").fill("aws:SourceIp=198.51.100.1")
    page.get_by_role("alert").wait_for()
    assert "leave one of the two out" in page.get_by_role("alert").inner_text()


def test_an_action_page_counts_its_conditional_principals_again(open_page, site):
    page = open_page(f"{site}/actions/sagemaker-CreateTrainingJob.html#scenario=office-network")
    page.get_by_text("Of 22 conditional principals").wait_for()
    group = page.locator("article.group", has=page.get_by_role("link", name="office-trainer", exact=True))
    assert group.locator(".again .v-allowed").count() >= 1
    page.locator("select[name=scenario]").select_option("Inside a VPC")
    group.locator(".again .v-denied").first.wait_for()
    assert group.evaluate("group => group.classList.contains('falls')")
    page.locator("select[name=scenario]").select_option("any request")
    page.locator(".again").first.wait_for(state="detached")


def test_a_principal_page_reads_its_conditions_again(open_page, site):
    page = open_page(f"{site}/principal.html#arn:aws:iam::333344445555:role/office-trainer&scenario=vpc")
    page.get_by_text("what is taken for granted: no such request meets the conditions").wait_for()
    page.get_by_label("What if").fill("")
    page.locator("select[name=scenario]").select_option("From the office network")
    page.locator(".group h3 .v-allowed").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_a_condition_page_shows_what_passes_what_fails_and_who_depends_on_it(open_page, site):
    page = open_page(f"{site}/conditions.html")
    page.get_by_role("link", name="only from 192.0.2.0/24 or 203.0.113.0/24, and never through a VPC endpoint").click()
    page.get_by_role("heading", name="The smallest change that makes it fail").wait_for()
    passes, fails = (json.loads(text) for text in page.locator("pre").all_text_contents())
    assert passes["context"] != fails["context"]
    assert "aws:SourceIp" in page.locator("mark").inner_text()
    assert page.get_by_role("link", name="office-trainer").count() == 1
    page.locator("select[name=scenario]").select_option("From the office network")
    page.get_by_text("Every such request meets it.").wait_for()
    again = open_page(page.url)
    again.get_by_text("Every such request meets it.").wait_for()


def on_resources(page, site, principal, action, text=""):
    """What the page of known resources says: name of the resource to verdict and why."""
    page.goto("about:blank")
    page.goto(f"{site}/inventory.html#principal={principal}&action={action}" + (f"&if={quote(text)}" if text else ""))
    page.locator("#answers .lead").wait_for()
    rows = page.locator("#answers tbody tr").all()
    return {row.locator("a.whole").get_attribute("title"): row.locator("td").all_inner_texts()[2:4] for row in rows}


def test_resources_that_are_granted_alike_stand_together_and_reasons_in_the_order_of_the_document(open_page, site):
    page = open_page(f"{site}/principal.html#{HANA}&action=iam:PassRole")
    page.locator("article dl.scope").nth(1).wait_for()
    scopes = page.locator("article dl.scope")
    assert scopes.count() == 2
    assert scopes.nth(0).locator("dd").first.inner_text() == "conditional"
    roles = scopes.nth(1).locator("dd").first.locator("code").all_inner_texts()
    assert sorted(role.rpartition("/")[2] for role in roles) == [
        "DataPipelineDefaultResourceRole", "DataPipelineDefaultRole", "EMR_DefaultRole", "EMR_EC2_DefaultRole",
        "kinesis-*",
    ]  # fmt: skip
    assert scopes.nth(1).locator("dd").last.inner_text() == "DataScientist, statement 4; DataScientist, statement 5"


def test_what_else_is_missing_is_told_of_the_chosen_actions_alone(open_page, site):
    page = open_page(f"{site}/principal.html#{ANA}&action=sagemaker:CreateDomain")
    rows = page.get_by_role("region", name="Further actions that are missing").get_by_role("row")
    rows.nth(1).wait_for()
    told = {row.get_by_role("cell").last.inner_text() for row in rows.all()[1:]}
    assert told == {"sagemaker:CreateDomain"}
    field = page.get_by_label("Action", exact=True)
    field.fill("sagemaker:StopNotebookInstance")
    page.get_by_role("heading", name="Granted, but something else is missing").wait_for(state="detached")
    field.fill("")
    page.get_by_role("heading", name="Granted, but something else is missing").wait_for()


def test_a_document_given_by_itself_is_not_taken_for_somebody_who_makes_requests(open_page, site):
    page = open_page(f"{site}/principal.html#policy/policies/02-console")
    page.get_by_role("heading", name="What it can do").wait_for()
    assert page.locator("dt").all_inner_texts()[:1] == ["Document"]
    assert page.get_by_role("link", name="On known resources").count() == 0
    assert page.locator("details.document summary").all_inner_texts() == ["02-console the document itself"]


def test_a_policy_without_a_name_is_called_by_what_it_is_attached_to(open_page, site, sample_lake):
    rows = open_lake(sample_lake).query(
        "select attachment_kind as kind, min(policy_id) as id from attachments"
        " where attachment_kind in ('resource', 'endpoint') group by all"
    )
    titles = {"resource": "Resource policy of model-package-group", "endpoint": "Endpoint policy of vpc-endpoint"}
    for row in rows.to_pylist():
        page = open_page(f"{site}/policy.html#{row['id']}")
        page.get_by_role("heading", name=titles[row["kind"]]).wait_for()
    assert rows.num_rows == len(titles)


def test_a_policy_of_many_kinds_of_places_names_each_kind_once(open_page, site, sample_lake):
    rows = open_lake(sample_lake).query(
        "select distinct policy_id from attachments where policy_name = 'FullAWSAccess'"
    )
    page = open_page(f"{site}/policy.html#{rows.to_pylist()[0]['policy_id']}")
    page.get_by_role("heading", name="Attached to").wait_for()
    section = page.locator("section[aria-labelledby=places]")
    assert section.locator("dt").all_inner_texts() == ["managed policy", "SCP"]
    assert f"Attached to {section.locator('dd code').count()}" == section.get_by_role("heading").inner_text()


def test_known_resources_tell_which_notebooks_a_team_can_stop_and_why_not_the_others(open_page, site):
    page = open_page(f"{site}/principal.html#arn:aws:iam::333344445555:user/ana")
    page.get_by_role("link", name="On known resources").click()
    page.locator("#answers .lead").wait_for()
    told = on_resources(page, site, "arn:aws:iam::333344445555:user/ana", "sagemaker:StopNotebookInstance")
    assert "on 5 of the 10 known resources" in page.locator("#answers .lead").inner_text()
    for arn, (verdict, why) in told.items():
        assert verdict == ("denied" if "/nlp-" in arn else "allowed")
        assert why.startswith("fails: " if verdict == "denied" else "meets: ")
        assert "not tagged Project = B" in why


def test_a_principal_page_leads_to_known_resources_only_where_its_account_has_some(open_page, site):
    page = open_page(f"{site}/principal.html#arn:aws:iam::111122223333:user/org-admin")
    page.get_by_role("heading", name="What it can do").wait_for()
    assert page.get_by_role("link", name="On known resources").count() == 0


def test_a_principal_that_could_not_be_read_whole_says_what_is_missing(open_page, tmp_path):
    lost = attached("arn:aws:iam::111122223333:policy/Lost")
    half = user("half", GroupList=["Gone"], AttachedManagedPolicies=[lost])
    write(tmp_path / "in", "a.json", export([half]))
    build_lake([tmp_path / "in"], tmp_path / "lake")
    site = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent.as_uri()
    page = open_page(f"{site}/principal.html#arn:aws:iam::111122223333:user/half")
    page.locator("#principal .notice").wait_for()
    assert page.locator("#principal .notice").inner_text() == (
        "The answers may be wrong, because not everything about it could be read. "
        "Missing: arn:aws:iam::111122223333:policy/Lost; group Gone."
    )


def test_a_condition_names_the_keys_of_its_policy_variables(open_page, site, sample_lake):
    rows = open_lake(sample_lake).query(
        "select condition_id from residual_conditions where contains(condition, '${aws:')"
    )
    (row,) = rows.to_pylist()
    page = open_page(f"{site}/condition.html#{row['condition_id']}")
    keys = page.locator("dt", has_text="Keys").locator("xpath=following-sibling::dd[1]")
    keys.wait_for()
    assert keys.inner_text() == "aws:PrincipalTag/team"
    page.get_by_label("What if").fill("aws:PrincipalTag/team=vision")
    page.get_by_text("No condition of this report is decided by aws:PrincipalTag/team.").wait_for()


def test_a_long_list_shows_its_first_entries_and_the_others_on_a_click_and_on_paper(open_page, site):
    page = open_page(f"{site}/actions/sagemaker-CreateTrainingJob.html")
    groups = page.locator("section[aria-labelledby=s-conditional] article")
    visible = groups.locator("visible=true")
    assert (groups.count(), visible.count()) == (16, 8)
    page.emulate_media(media="print")
    assert visible.count() == 16
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Show more").click()
    assert visible.count() == 16
    assert page.get_by_role("button", name="Show more").count() == 0


def test_a_folded_table_of_accounts_is_whole_in_its_csv(open_page, tmp_path):
    generate(tmp_path / "in", accounts=26, principals=2, seed=1)
    build_lake([tmp_path / "in"], tmp_path / "lake")
    site = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent.as_uri()
    page = open_page(f"{site}/index.html")
    section = page.locator("section[aria-labelledby=accounts]")
    assert section.locator("tbody tr").locator("visible=true").count() == 20
    assert "20 of 26" in section.locator(".more").inner_text()
    rows = rows_of_csv(page, section.get_by_role("button", name="CSV"))
    assert len(rows) == 1 + 26
    page.get_by_role("button", name="Show more").click()
    assert section.locator("tbody tr").locator("visible=true").count() == 26


@pytest.mark.parametrize(
    ("action", "context"),
    [
        ("sagemaker:StopNotebookInstance", {}),
        ("sagemaker:DescribeNotebookInstance", {"aws:SourceVpc": "vpc-111bbaaa"}),
        ("sagemaker:InvokeEndpoint", {"aws:SourceIp": "192.0.2.7"}),
        ("sagemaker:DeleteModel", {"aws:MultiFactorAuthPresent": "true"}),
    ],
)
def test_known_resources_are_decided_as_simulate_decides(open_page, site, sample_lake, action, context):
    lake, page = open_lake(sample_lake), open_page(f"{site}/inventory.html")
    rows = lake.query("select principal_arn from principals where account_id = '333344445555' order by 1").to_pylist()
    told = {}
    for row in rows[::5]:
        if ":group/" not in row["principal_arn"]:
            text = " ".join(f"{key}={value}" for key, value in context.items())
            told[row["principal_arn"]] = on_resources(page, site, row["principal_arn"], action, text)
    asked = [(principal, arn, verdict) for principal, some in told.items() for arn, (verdict, _) in some.items()]
    lines = [
        json.dumps({"principal": principal, "action": action, "resource": arn, "context": context})
        for principal, arn, _ in asked
    ]
    decided = [json.loads(line)["decision"] for line in simulate_lines(lines, lake, reference.load())]
    wrong = [
        (*one, decision)
        for one, decision in zip(asked, decided, strict=True)
        if (one[2] == "allowed" and decision != "allowed") or (one[2] in ("denied", "none") and decision == "allowed")
    ]
    assert wrong == []
    assert {verdict for *_, verdict in asked} >= {"allowed", "none"}


@pytest.mark.parametrize(
    ("resource", "action"),
    [
        (f"{NOTEBOOK}nlp-01", "sagemaker:StopNotebookInstance"),
        ("arn:aws:sagemaker:us-east-1:555566667777:model-package-group/churn", "sagemaker:DescribeModelPackageGroup"),
    ],
)
def test_a_resource_page_lists_who_can_as_the_concrete_evaluator_decides(
    open_page, site, sample_lake, resource, action
):
    page = open_page(f"{site}/resource.html#{resource}&action={action}")
    page.get_by_role("button", name="look in the other accounts").click()
    page.get_by_text("Principals of all accounts").wait_for()
    page.locator("#resource details[open]").wait_for()
    page.wait_for_timeout(500)
    shown = {
        letter: page.locator(f"#resource details[open] p:has(.v-{letter}) + ul a").evaluate_all(
            "links => links.map(link => decodeURIComponent(link.hash.slice(1).split('&')[0]))"
        )
        for letter in ("allowed", "conditional")
    }
    lake = open_lake(sample_lake)
    known = lake.query("select principal_arn from principals where principal_type in ('user', 'role')")
    arns = known["principal_arn"].to_pylist()
    lines = [json.dumps({"principal": arn, "action": action, "resource": resource, "context": {}}) for arn in arns]
    decided = [json.loads(line)["decision"] for line in simulate_lines(lines, lake, reference.load())]
    allowed = {arn for arn, decision in zip(arns, decided, strict=True) if decision == "allowed"}
    assert set(shown["allowed"]) <= allowed <= {*shown["allowed"], *shown["conditional"]}
    assert allowed


def test_a_resource_page_prints_who_can(open_page, site):
    page = open_page(f"{site}/resource.html#{NOTEBOOK}nlp-01")
    page.locator("#resource details").first.wait_for()
    assert page.locator("#resource details[open]").count() == 0
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#resource details:not([open])").count() == 0


def test_a_resource_that_is_not_known_is_told(open_page, site):
    page = open_page(f"{site}/resource.html#arn:aws:sagemaker:us-east-1:1:model/<b>")
    page.get_by_role("heading", name="No such resource").wait_for()


def test_a_principal_page_lists_the_roles_that_it_may_pass(open_page, site, sample_lake):
    arn = HANA
    rows = (
        open_lake(sample_lake)
        .query(f"select role_arn, verdict from passable_roles where principal_arn = '{arn}'")
        .to_pylist()
    )
    assert rows
    page = open_page(f"{site}/principal.html#{arn}")
    table = page.get_by_role("region", name="Table: Roles that it may pass")
    table.wait_for()
    told = {tuple(row.locator("td").all_inner_texts()[i] for i in (0, 2)) for row in table.locator("tbody tr").all()}
    assert told <= {(row["role_arn"].split(":role/")[1], row["verdict"]) for row in rows}
    assert len(told) == min(20, len(rows))


def test_a_principal_page_shows_what_each_layer_leaves(open_page, site):
    page = open_page(f"{site}/principal.html#{HANA}")
    page.get_by_role("heading", name="What each layer leaves").wait_for()
    steps = [row.locator("td").all_inner_texts()[:3] for row in page.locator("table.funnel tbody tr").all()]
    counts = [int(step[1]) for step in steps]
    assert counts == sorted(counts, reverse=True)
    assert [before - after for before, after in itertools.pairwise(counts)] == [int(step[2]) for step in steps[1:]]
    shown = page.locator(".legend .figure").all_inner_texts()
    assert counts[-1] == int(shown[0]) + int(shown[1])


def rows_of_csv(page, button):
    with page.expect_download() as saved:
        button.click()
    return list(csv.reader(saved.value.path().open(encoding="utf-8", newline="")))


def test_every_table_gives_its_rows_as_csv(open_page, site):
    page = open_page(f"{site}/actions.html")
    rows = rows_of_csv(page, page.get_by_role("button", name="CSV of Actions with"))
    assert rows[0] == ["action", "level", "task", "allowed", "conditional", "denied", "blocked", "none"]
    assert len(rows) == page.locator("#actions tbody tr").count() + 1
    for place in PAGES:
        page.goto(f"{site}/{place}")
        page.wait_for_timeout(200)
        assert page.locator("table.rows").count() == page.locator(".tools button").count(), place


def test_the_matrix_gives_what_its_filters_leave_as_csv(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&action=sagemaker:CreateTrainingJob&scenario=vpc")
    settled(page)
    page.get_by_text("Read again for requests: Inside a VPC").wait_for()
    rows = rows_of_csv(page, page.get_by_role("button", name="CSV"))
    assert rows[0] == ["principal_arn", "account_id", "sagemaker:CreateTrainingJob"]
    assert ["arn:aws:iam::333344445555:role/office-trainer", "333344445555", "denied"] in rows


def test_a_csv_holds_no_formula_of_a_hostile_name(open_page, site):
    page = open_page(f"{site}/index.html")
    assert page.evaluate("PL.csv([['=1+1', '-5', '@x', 'a,\"b'], ['+cmd', '1,234', 'x']])") == (
        '\'=1+1,-5,\'@x,"a,""b"\r\n\'+cmd,"1,234",x\r\n'
    )
    assert page.evaluate("PL.csv([[' =1+1', '＝1+1', ' x']])") == "' =1+1,'＝1+1, x\r\n"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, site, scheme):
    if not AXE.is_file():
        pytest.skip("no axe-core: npm install --no-save --prefix .axe axe-core")
    context = browser.new_context(viewport=DESK, color_scheme=scheme)
    page = context.new_page()
    found = []
    for place in (*PAGES, "inventory.html", f"resource.html#{NOTEBOOK}nlp-01",
                  "actions/sagemaker-CreateTrainingJob.html#scenario=vpc",
                  "condition.html#40214b0b08bd2e11", "policy.html#"):  # fmt: skip
        page.goto(f"{site}/{place}")
        page.wait_for_timeout(400)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        told = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        found += [
            (place, one["id"], one["nodes"][0]["html"]) for one in told if one["impact"] in ("serious", "critical")
        ]
    context.close()
    assert found == []


def test_hover_and_focus_tell_the_condition_and_a_click_opens_the_reasons(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=user/ana&action=sagemaker:DescribeNotebookInstance")
    settled(page)
    cell = page.locator(".cell.v-conditional").first
    cell.hover()
    page.locator("#cellinfo .condition").wait_for()
    assert "not tagged Project = B" in page.locator("#cellinfo").inner_text()
    cell.click()
    page.wait_for_url("**/principal.html#*action=*")
    page.locator(".group dt", has_text="granted by").wait_for()
    page.go_back()
    settled(page)
    assert page.get_by_role("searchbox", name="Principal").input_value() == "user/ana"


def test_rows_are_grouped_by_unit_and_sorted_by_what_they_have_most(open_page, site):
    page = open_page(f"{site}/matrix.html#rows=unit")
    settled(page)
    assert page.locator(".row.heading").first.inner_text().strip() == "Root"
    page.locator("select[name=rows]").select_option("none")
    page.locator("select[name=sort]").select_option("most conditional")
    settled(page)
    vectors = page.locator(".row .name a").all_inner_texts()
    page.locator("select[name=sort]").select_option("by name")
    assert page.locator(".row .name a").all_inner_texts() != vectors
    page.locator("select[name=task]").select_option("Tune")
    page.locator(".column", has_text="CreateHyperParameterTuningJob").wait_for()
    assert page.locator(".column", has_text="InvokeEndpoint").count() == 0


def test_far_cells_are_reached_by_keys_alone(open_page, site):
    page = open_page(f"{site}/matrix.html")
    settled(page)
    page.locator(".cell[tabindex='0']").focus()
    for key in ("Control+End", "ArrowUp", "Home", "Control+Home", "PageDown", "End"):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.cell !== undefined"), key
    place = page.evaluate("document.activeElement.dataset.cell.split(':').map(Number)")
    assert (
        place[1]
        == len(reading.script(Path(page.evaluate("decodeURIComponent(location.pathname)")).parent, "index")["actions"])
        - 1
    )


def test_a_principal_page_says_which_further_actions_are_missing(open_page, site):
    page = open_page(f"{site}/principal.html#arn:aws:iam::333344445555:role/office-trainer")
    page.get_by_role("heading", name="Granted, but something else is missing").wait_for()
    rows = page.get_by_role("region", name="Further actions that are missing").get_by_role("row").all()
    told = [[text.strip() for text in row.get_by_role("cell").all_inner_texts()] for row in rows]
    assert told[1:] == [
        ["iam:PassRole", "nothing grants it", "a call that passes a role", "sagemaker:CreateTrainingJob"],
        ["sagemaker:AddTags", "nothing grants it", "a call that passes tags", "sagemaker:CreateTrainingJob"],
    ]


def test_a_statement_opens_in_its_policy_and_stands_out(open_page, site):
    page = open_page(f"{site}/principal.html#arn:aws:iam::333344445555:user/hana&action=sagemaker:CreateTrainingJob")
    page.get_by_role("link", name=re.compile("^DataScientist, ")).first.click()
    page.wait_for_url("**/policy.html#*")
    marked = page.locator(".statement.marked")
    marked.wait_for()
    assert '"Effect": "Allow"' in marked.inner_text()
    page.go_back()
    page.locator("details.document summary").first.click()
    page.locator("details.document .statement.marked").first.wait_for()
    everything = page.locator("details.document .statement.marked").count()
    page.locator("input[name=action]").fill("sagemaker:NoSuchAction")
    page.get_by_text("Nothing that fits.").wait_for()
    assert page.locator("details.document .statement.marked").count() == 0
    page.locator("input[name=action]").fill("")
    page.locator("details.document .statement.marked").first.wait_for()
    assert page.locator("details.document .statement.marked").count() >= everything
    link = page.locator("details.document .statement.marked a").first
    link.click()
    page.wait_for_url("**/policy.html#*:*")
    page.locator(".statement.marked").wait_for()


@pytest.mark.parametrize("name", reading.NAMES)
def test_a_hostile_name_is_shown_as_it_is_and_runs_nothing(open_page, hostile, name):
    arn = f"arn:aws:iam::{reading.HOSTILE_ACCOUNT}:user/{name}"
    page = open_page(f"{hostile.as_uri()}/principal.html#{quote(arn, safe='')}")
    page.get_by_role("heading", level=1).filter(has_text="user").wait_for()
    assert page.locator("h1 bdi").text_content() == printable(name)
    assert page.title() == f"{printable(name)} · policylake"
    page.locator("details.document summary").first.click()
    page.locator(".statement pre").first.wait_for()
    assert all_visible(page)
    page.goto(f"{hostile.as_uri()}/matrix.html#q={quote(name, safe='')}")
    settled(page)
    assert page.locator(".row .name a").count() >= 1
    page.locator(".cell").first.hover()
    page.locator("#cellinfo .verdict").wait_for()
    assert all_visible(page)
    page.goto(f"{hostile.as_uri()}/inventory.html#principal={quote(arn, safe='')}&action=sagemaker:CreateModel")
    page.locator("#answers tbody tr").first.wait_for()
    assert all_visible(page)
    page.goto(f"{hostile.as_uri()}/principal.html#{quote(arn.replace(':user/', ':role/'), safe='')}")
    page.get_by_role("heading", name="Roles that it may pass").wait_for()
    assert all_visible(page)
    resource = f"arn:aws:sagemaker:us-east-1:{reading.HOSTILE_ACCOUNT}:model/{reading.NAMES.index(name)}-{name}"
    page.goto(f"{hostile.as_uri()}/resource.html#{quote(resource, safe='')}")
    page.locator("#resource details summary").first.click()
    page.locator("#resource details li").first.wait_for()
    assert all_visible(page)
    page.goto(f"{hostile.as_uri()}/{unknown_action(hostile)}#scenario={quote(name)}&if={quote('a:b=' + name)}")
    page.get_by_role("alert").wait_for()
    assert all_visible(page)
    assert page.evaluate("window.hit") is None


def unknown_action(report):
    """The page of an action that only a policy names."""
    return next(one[3] for one in reading.script(report, "index")["actions"] if one[4])


def test_pages_of_hostile_units_policies_and_conditions_show_them_as_they_are(open_page, hostile):
    page = open_page(f"{hostile.as_uri()}/matrix.html#level=Unknown&verdict=conditional&rows=unit")
    settled(page)
    place = " / ".join(map(printable, (reading.HOSTILE, *reading.NAMES)))
    assert page.locator(".row.heading").first.text_content() == place
    page.locator(".cell.v-conditional").first.hover()
    page.locator("#cellinfo .condition").wait_for()
    assert all_visible(page)
    index = reading.script(hostile, "index")
    policies = [f"policy.html#{key}" for _, script in index["policies"] for key in reading.script(hostile, script)]
    assert len(policies) >= 2 * len(reading.NAMES)
    page.goto(f"{hostile.as_uri()}/conditions.html")
    conditions = [one.get_attribute("href") for one in page.locator("table.rows a").all()]
    for link in [*conditions, *policies]:
        page.goto(f"{hostile.as_uri()}/{link}")
        page.locator("pre").first.wait_for()
        assert all_visible(page)
    for place in (
        "index.html",
        "conditions.html",
        "inventory.html",
        unknown_action(hostile),
        "findings.html",
        "rejects.html",
        "provenance.html",
        f"accounts/{reading.HOSTILE_ACCOUNT}.html",
        "accounts/000000000001.html",
        "actions/iam-PassRole.html",
    ):
        page.goto(f"{hostile.as_uri()}/{place}")
        assert all_visible(page)
    assert page.evaluate("window.hit") is None


def all_visible(page):
    """Whether no text, title or label of the page holds a character that is not shown."""
    texts = page.evaluate(
        "() => [document.title, document.body.textContent, ...[...document.querySelectorAll('[title], [aria-label]')]"
        ".flatMap((one) => [one.title || '', one.getAttribute('aria-label') || ''])]"
    )
    return not [text for text in texts if printable(text.replace("\n", " ")) != text.replace("\n", " ")]


TEXTS = [
    "plain text",
    "\u202egnp.exe",
    "a\tb\r\nc",
    "\x00\x7f\x85\xa0",
    "\u2028\u2029\u200f\ufeff",
    "\U000e0041",
    "名前-𝒳-e\u0301",
    "\ud800",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_script_writes_a_text_as_the_command_line_does(open_page, site, text):
    page = open_page(f"{site}/index.html")
    assert page.evaluate(f"PL.visible({json.dumps(text)})") == printable(text)


def test_a_name_that_is_not_there_is_said_so(open_page, site):
    page = open_page(f"{site}/principal.html#arn:aws:iam::333344445555:user/nobody")
    page.get_by_role("heading", name="No such principal").wait_for()
    page.goto(f"{site}/policy.html#feedface")
    page.get_by_role("heading", name="No such policy").wait_for()


@pytest.mark.parametrize("place", ["%", "%E0%A4%A", "__proto__", "constructor", ""])
def test_an_address_that_means_nothing_is_said_to_be_none(open_page, site, place):
    open_page(f"{site}/principal.html#{place}").get_by_role("heading", name="No such principal").wait_for()
    open_page(f"{site}/policy.html#{place}").get_by_role("heading", name="No such policy").wait_for()
    open_page(f"{site}/condition.html#{place}").get_by_role("heading", name="No such condition").wait_for()


def test_long_tables_go_on_from_their_scripts(open_page, tmp_path):
    statements = [
        {"Effect": "Allow", "Action": f"sagemaker:Invented{number}", "Resource": "*"} for number in range(450)
    ]
    (tmp_path / "many.json").write_text(f'{{"Version": "2012-10-17", "Statement": {statements!s}}}'.replace("'", '"'))
    build_lake([tmp_path / "many.json"], tmp_path / "lake")
    out = write_report(open_lake(tmp_path / "lake"), tmp_path / "out")
    page = open_page(f"{out.parent.as_uri()}/findings.html")
    table = page.locator("table.rows[data-pieces]")
    assert table.locator("tbody tr").count() == SHOWN
    page.get_by_role("button", name="Show more").click()
    page.get_by_text("450 of 450 rows").wait_for()
    assert table.locator("tbody tr").count() == 450
    assert page.get_by_role("button", name="Show more").count() == 0


def test_dark_mode_is_dark_and_text_keeps_its_contrast(open_page, site):
    for scheme in ("light", "dark"):
        page = open_page(f"{site}/index.html", color_scheme=scheme)
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        for selector in ("h1", ".lead", "a.code", ".v-allowed", ".v-conditional", ".v-denied", ".v-blocked", "td"):
            ink = page.locator(selector).first.evaluate("element => getComputedStyle(element).color")
            assert contrast(ink, paper) >= 4.5, (scheme, selector, ink, paper)
        assert (luminance(paper) < 0.1) == (scheme == "dark")


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_print_leaves_out_what_only_works_on_a_screen(open_page, site):
    page = open_page(f"{site}/accounts/333344445555.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".find").is_visible()
    assert not page.locator(".top nav").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("table.rows").last.is_visible()
    assert not page.locator(".tools").first.is_visible()
    assert page.pdf()[:5] == b"%PDF-"


def test_paper_has_corrected_statements_but_none_of_pages_and_pages(open_page, site):
    """Of one that is left out the paper says how long it is."""
    page = open_page(f"{site}/findings.html")
    statements = page.locator("details.corrected")
    short, long = statements.nth(0), statements.nth(1)
    long.locator("pre").evaluate("pre => { pre.innerHTML = '<ins>+ line</ins><br>'.repeat(60); }")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert short.get_attribute("open") is not None
    assert long.get_attribute("open") is None
    said = long.locator("summary").evaluate("one => getComputedStyle(one, '::after').content")
    assert "61 lines, on the screen" in said.replace('" "', "").replace('"', "").replace("  ", " ")


def test_paper_has_a_statement_once_in_a_table_and_its_number_wherever_else_it_is_meant(open_page, site):
    page = open_page(f"{site}/findings.html")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    told = page.locator("section[aria-labelledby=notebook-with-direct-internet] details.corrected")
    assert told.count() > 1
    assert told.evaluate_all("all => all.filter(one => one.open).length") == 1
    said = told.locator("summary").evaluate_all("all => all.map(one => one.dataset.paper)")
    assert said == ["1"] + ["1, above"] * (len(said) - 1)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.corrected[open]").count() == 0


def test_the_printed_matrix_has_its_filters_in_words_and_no_fields(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=user&level=Write")
    settled(page)
    assert not page.locator("#chosen").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#chosen").inner_text() == "Principal: user; Account: ml-dev 333344445555; Level: Write"
    assert page.locator("main :is(input, select, button):visible").count() == 0


def printing(page):
    """Put a page into the state in which a browser prints it."""
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": 688, "height": 994})  # A4 without its margins
    page.emulate_media(media="print")


def verdicts(cells):
    return cells.evaluate_all("cells => cells.map(cell => cell.className.replace('v-', ''))")


def test_the_printed_matrix_is_whole_in_tables_as_wide_as_a_sheet_that_repeat_the_account(open_page, site, sample_lake):
    page = open_page(f"{site}/matrix.html#account=333344445555&level=List")
    settled(page)
    page.locator("#grid").evaluate("grid => grid.scrollTo(1e6, 95)")
    page.wait_for_timeout(100)
    seen = page.locator("#grid").evaluate("grid => [grid.scrollLeft, grid.scrollTop]")
    printing(page)
    assert not page.locator("#grid").is_visible()
    assert page.locator("#printed").inner_text() == "All of them are printed."
    assert page.evaluate("document.documentElement.scrollWidth") == 688
    tables = page.locator("#paper table")
    for place in range(tables.count()):
        assert tables.nth(place).locator("thead .heading").inner_text() == "ml-dev 333344445555"
        # A browser repeats a head that takes no more than a quarter of the sheet.
        assert tables.nth(place).locator("thead").bounding_box()["height"] < 994 / 4
    hana = page.locator("#paper tbody tr").filter(has=page.get_by_text("hana", exact=True)).locator("td")
    heads = page.locator("#paper thead th:not(:first-child)").all_inner_texts()
    told = {
        row["action"]: row["verdict"]
        for row in open_lake(sample_lake).query(f"from access_matrix where principal_arn = '{HANA}'").to_pylist()
    }
    service, shown = "", {}
    for head, verdict in zip(heads, verdicts(hana), strict=True):
        if verdict == "gap":
            service = head.partition(", ")[2] or "sagemaker"
        else:
            shown[f"{service}:{head}"] = verdict
    assert {"allowed", "none"} <= set(shown.values())
    assert shown == {action: told.get(action, "none") for action in shown}
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1200, "height": 760})
    assert page.locator("#grid").evaluate("grid => [grid.scrollLeft, grid.scrollTop]") == seen
    assert tables.count() == 0


def test_a_printed_matrix_of_few_columns_stands_in_two_halves_each_table_with_its_head(open_page, generated):
    page = open_page(f"{generated}/matrix.html#action=iam:PassRole")
    settled(page)
    printing(page)
    assert page.locator("#printed").inner_text() == "All of them are printed."
    tables = page.locator("#paper table")
    lines = tables.evaluate_all("all => all.map(one => one.querySelectorAll('tbody th:not(.heading)').length)")
    assert sum(lines) == 400
    assert max(lines) <= 20
    assert set(tables.evaluate_all("all => all.map(one => getComputedStyle(one).breakInside)")) == {"avoid"}
    assert page.locator("#paper table:not(:has(.heading))").count() == 0


def test_a_matrix_that_is_more_than_paper_takes_is_printed_from_the_view_on_and_says_how_many(open_page, generated):
    page = open_page(f"{generated}/matrix.html")
    settled(page)
    page.locator("#grid").evaluate("grid => grid.scrollTo(0, 26 * 50)")
    page.wait_for_timeout(100)
    first = (
        page.locator("#grid .row")
        .filter(has=page.locator(".name a"))
        .evaluate_all(
            "rows => rows.find(row => parseFloat(row.style.top) >= 190 + 26 * 50).querySelector('a').textContent"
        )
    )
    printing(page)
    said = page.locator("#printed").inner_text()
    printed = int(re.match(rf"Printed: (\d+) of these principals, from {re.escape(first)} on\.", said)[1])
    names = page.locator("#paper tbody th:not(.heading)")
    strips = page.locator("#paper thead th:first-child:not(.heading)").count()
    assert 50 < printed < 200
    assert names.count() % printed == 0
    assert names.count() <= 2000 < names.count() + names.count() // printed
    assert first in names.first.inner_text()
    assert strips >= names.count() // printed
    # What begins within an account says of which it is.
    assert page.locator("#paper .heading").first.inner_text() in page.locator("select[name=account]").inner_text()
    assert "button CSV saves" in said


def test_on_paper_a_corrected_statement_stands_below_its_row_and_a_heading_stays_with_its_table(open_page, site):
    page = open_page(f"{site}/findings.html")
    printing(page)
    open_ones = page.locator("details.corrected[open]")
    assert open_ones.count() > 10
    below = open_ones.evaluate_all(
        "all => all.map(one => { const cell = one.closest('td'), before = one.closest('tr').previousElementSibling;"
        " return [cell.colSpan === before.cells.length, getComputedStyle(before).breakInside,"
        " getComputedStyle(before).breakAfter, before.textContent.includes('1, below')]; })"
    )
    assert {tuple(one[:3]) for one in below} == {(True, "avoid", "avoid")}
    assert below[0][3]
    rows = page.locator("tbody tr:not(:has(details[open]))")
    assert set(rows.evaluate_all("all => all.map(one => getComputedStyle(one).breakInside)")) == {"avoid"}
    texts = page.locator("section:has(> .shares) > :is(h2, p)")
    assert set(texts.evaluate_all("all => all.map(one => getComputedStyle(one).breakAfter)")) == {"avoid"}
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("tr.goes-on").count() == page.locator("td[colspan] details").count() == 0


def test_each_sheet_says_of_which_page_and_snapshot_it_is_and_no_foot_takes_a_sheet_of_its_own(open_page, site):
    page = open_page(f"{site}/principal.html#{HANA}")
    page.get_by_role("heading", name=re.compile("^hana")).wait_for()
    printing(page)
    snapshot = page.locator("html").get_attribute("data-snapshot")
    sheet = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--sheet')")
    assert sheet == f'"hana · policylake, snapshot {snapshot}"'
    assert not page.locator(".bottom").is_visible()
    assert snapshot in page.locator(".top").inner_text()


def test_on_paper_a_word_of_a_table_does_not_break(open_page, site):
    page = open_page(f"{site}/provenance.html")
    printing(page)
    word = page.locator("td.whole", has_text="policy-document").first
    lines = word.evaluate(
        "cell => { const range = document.createRange(); range.selectNodeContents(cell);"
        " return new Set([...range.getClientRects()].map(box => box.top)).size; }"
    )
    assert lines == 1


def test_a_long_name_copied_from_the_matrix_is_one_line(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=AmazonSageMaker-ExecutionRole-20240115T101500")
    settled(page)
    link = page.locator(".name a.long")
    copied = link.evaluate("link => { getSelection().selectAllChildren(link); return getSelection().toString(); }")
    assert copied == "AmazonSageMaker-ExecutionRole-20240115T101500"


def test_paper_says_by_what_words_a_table_is_filtered(open_page, site):
    page = open_page(f"{site}/actions.html#q=endpoint")
    status = page.locator("[data-filter-status]")
    assert "Filter" not in status.inner_text()
    page.emulate_media(media="print")
    assert status.inner_text().startswith("Filter: endpoint; ")


def test_the_end_of_a_long_name_shows_in_the_matrix(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=AmazonSageMaker-ExecutionRole")
    settled(page)
    link = page.get_by_role("link", name="AmazonSageMaker-ExecutionRole-20240115T101500", exact=True)
    box, grid = link.locator("span").last.bounding_box(), page.locator(".name").last.bounding_box()
    assert link.locator("span").last.inner_text() == "5T101500"
    left = grid["x"] + grid["width"] - box["x"] - box["width"]
    assert 0 <= left < 30, "the room that is left: the padding and less than two letters"
    beside = link.locator("span").nth(1).evaluate("middle => middle.getBoundingClientRect().right")
    assert abs(beside - box["x"]) < 1, "no gap before the end"


def test_a_phone_tells_long_names_apart(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&q=AmazonSageMaker-ExecutionRole", PHONE)
    settled(page)
    shown = page.locator(".name a.long").all()
    ends = {link.locator("span").last.inner_text() for link in shown}
    assert len(shown) == len(ends) == 2
    for link in shown:
        box, name = link.locator("span").last.bounding_box(), page.locator(".name").last.bounding_box()
        assert box["x"] + box["width"] <= name["x"] + name["width"]


@pytest.mark.parametrize("place", [*PAGES, "actions/sagemaker-CreateEndpoint.html", INVENTORY])
def test_a_phone_shows_every_table_whole(open_page, site, place):
    page = open_page(f"{site}/{place}", PHONE)
    if place == "matrix.html":
        settled(page)
    if place == INVENTORY:
        page.locator("#answers td").first.wait_for()
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
    assert page.locator(".scroller").evaluate_all(wide) == []


def test_a_phone_shows_each_number_with_the_name_of_its_column(open_page, site):
    page = open_page(f"{site}/actions.html#q=iam:PassRole", PHONE)
    row = page.locator("#actions tbody tr:not([hidden])")
    assert names_of_numbers(row) == ["allowed", "conditional", "denied", "blocked", "none"]


def test_rows_that_a_script_adds_have_the_names_of_their_columns_too(open_page, tmp_path):
    generate(tmp_path / "in", accounts=1, principals=ROWS + 20, seed=1)
    build_lake([tmp_path / "in"], tmp_path / "lake")
    out = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent
    largest = max(out.glob("accounts/*.html"), key=lambda path: path.stat().st_size)
    page = open_page(largest.as_uri(), PHONE)
    rows = page.locator("table[data-pieces] tbody tr")
    first = names_of_numbers(rows.first)
    page.get_by_role("button", name="Show more").click()
    rows.nth(ROWS).wait_for()
    assert names_of_numbers(rows.last) == first == ["allowed", "conditional", "denied", "blocked", "none", "policies"]
    assert page.locator(".scroller").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")


def names_of_numbers(row):
    drawn = "one => [...one.querySelectorAll('.number')].map(cell => getComputedStyle(cell, '::before').content)"
    return [re.sub(r'^attr\(.*\)$|["\s]', "", text) for text in row.evaluate(drawn)]


@pytest.mark.parametrize("taken", ["scenario=vpc", "scenario=internet", "if=aws:RequestedRegion=us-east-1"])
def test_numbers_of_an_action_under_a_scenario_are_those_of_the_rows_they_lead_to(open_page, site, taken):
    page = open_page(f"{site}/actions/sagemaker-CreateEndpoint.html")
    stored = page.locator(".legend").inner_text()
    page = open_page(f"{site}/actions/sagemaker-CreateEndpoint.html#{taken}")
    page.locator("#again").get_by_text("conditional principals").wait_for()
    told = {one.get_attribute("href"): one.inner_text() for one in page.locator(".legend a").all()}
    bar = page.locator("svg.bar").get_attribute("aria-label")
    assert page.locator(".legend").inner_text() != stored
    for href, number in told.items():
        word = re.search("verdict=([a-z]+)", href)[1]
        assert f"{number} {word}" in bar
        opened = open_page(f"{site}/{href.removeprefix('../')}")
        assert settled(opened).startswith(f"{number} of 106 principals, 1 of 551 actions")


def test_the_sentence_on_everything_leads_to_those_whom_it_counts(open_page, site, generated):
    for place in (site, generated):
        page = open_page(f"{place}/index.html")
        link = page.locator(".sentences li", has_text="can do everything with SageMaker").get_by_role("link")
        count = link.inner_text().split()[0]
        link.click()
        assert settled(page).startswith(f"{count} of ")


@pytest.mark.parametrize(
    "filters", ["account=999999999999", "unit=nosuch", "type=group", "verdict=zz", "account=999999999999&unit=x"]
)
def test_a_filter_that_the_report_does_not_have_leaves_nobody(open_page, site, filters):
    page = open_page(f"{site}/matrix.html#{filters}")
    assert settled(page) == "0 of 106 principals, 551 of 551 actions: nobody fits the filters"
    assert page.evaluate("location.hash.slice(1)") == filters
    name, value = filters.split("&")[0].split("=")
    assert page.locator(f"select[name={name}] option:checked").inner_text() == f"{value} (not in this report)"
    page.get_by_role("button", name="Clear").click()
    assert settled(page) == "106 of 106 principals, 551 of 551 actions"
    assert page.locator(f"select[name={name}] option").get_by_text("not in this report").count() == 0


def test_who_comes_back_from_the_reasons_finds_the_cell_again(open_page, site):
    page = open_page(f"{site}/matrix.html#account=333344445555&task=Deploy")
    settled(page)
    page.locator("#grid [tabindex='0']").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    cell = page.evaluate("document.activeElement.dataset.cell")
    said = page.locator("#cellinfo").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/principal.html*")
    page.get_by_role("heading", name="What it can do").wait_for()
    page.go_back()
    settled(page)
    page.wait_for_function("document.activeElement.dataset.cell !== undefined")
    assert page.evaluate("document.activeElement.dataset.cell") == cell
    assert page.locator("#cellinfo").inner_text() == said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("CreateEndpoint", "/actions/sagemaker-CreateEndpoint.html"),
        ("createendpoint", "/actions/sagemaker-CreateEndpoint.html"),
        ("sagemaker:CreateEndpoint", "/actions/sagemaker-CreateEndpoint.html"),
        ("GetTag", "/matrix.html#q=GetTag"),
    ],
)
def test_the_field_finds_an_action_by_its_name_without_the_service(open_page, site, text, place):
    page = open_page(f"{site}/index.html")
    page.get_by_placeholder("Find principal or action").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{place}")


@pytest.mark.parametrize(
    ("text", "count"), [("CreateEndpoint*", 2), ("sagemaker:*Endpoint", 5), ("?nvokeEndpoint", 1), ("nosuch", 0)]
)
def test_the_matrix_takes_wildcards_of_actions_and_says_that_none_fits(open_page, site, text, count):
    page = open_page(f"{site}/matrix.html#action={quote(text, safe='')}")
    after = "" if count else ": no action fits the filters"
    assert settled(page) == f"106 of 106 principals, {count} of 551 actions{after}"


def test_the_matrix_counts_the_answers_of_a_verdict(open_page, site):
    page = open_page(f"{site}/index.html")
    figures = {one.get_attribute("href"): one.inner_text() for one in page.locator(".legend a").all()}
    for href, number in figures.items():
        assert settled(open_page(f"{site}/{href}")).endswith(f": {number} answers")
    link = page.locator(".sentences a", has_text="answers").first
    number = link.inner_text()
    link.click()
    assert settled(page).endswith(f": {number}")


def test_each_choice_is_one_step_back(open_page, site):
    page = open_page(f"{site}/matrix.html")
    settled(page)
    page.locator("[name=task]").select_option("Deploy")
    page.locator("[name=verdict]").select_option("conditional")
    page.go_back()
    assert settled(page).startswith("106 of 106 principals, 9")
    assert page.locator("[name=task]").input_value() == "Deploy"
    assert page.locator("[name=verdict]").input_value() == ""


def test_numbers_of_conditions_in_use_are_those_of_the_rows_they_lead_to(open_page, site, generated):
    for place in (site, generated):
        page = open_page(f"{place}/index.html")
        listed = page.locator("[aria-labelledby=keys] tbody a").all()
        told = {one.get_attribute("href"): one.inner_text() for one in listed}
        assert len(told) > 3
        for href, number in told.items():
            opened = open_page(f"{place}/{href}")
            opened.locator("[data-filter-status=listed]").get_by_text(f"{number} of ").wait_for()
            assert opened.locator("#listed tbody tr").locator("visible=true").count() == int(number)


def test_rows_by_unit_name_the_account_whole(open_page, site):
    page = open_page(f"{site}/matrix.html#rows=unit&q=AWSReservedSSO")
    settled(page)
    for name in page.locator(".row:not(.heading) .name").all():
        account = name.locator(".minor")
        assert account.evaluate("one => one.scrollWidth <= one.clientWidth"), account.inner_text()
        assert name.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_the_matrix_says_that_nobody_fits(open_page, site):
    page = open_page(f"{site}/matrix.html#q=nosuchperson")
    assert settled(page) == "0 of 106 principals, 551 of 551 actions: nobody fits the filters"


def test_a_principal_page_folds_the_answers_of_each_verdict(open_page, site):
    page = open_page(f"{site}/principal.html#{HANA}")
    groups = page.locator("#can ~ div article")
    groups.first.wait_for()
    shown = groups.locator("visible=true")
    assert shown.filter(has_text="blocked by").count() == 1
    assert (shown.count(), groups.count()) == (11, 28)
    page.locator("#can ~ div").get_by_role("button", name="Show more").click()
    assert shown.count() == 28


def test_a_condition_on_every_role_that_may_be_passed_is_said_once(open_page, site):
    page = open_page(f"{site}/principal.html#{HANA}")
    roles = page.locator("section[aria-labelledby=roles]")
    roles.wait_for()
    assert "Each of these: only to pass the role to sagemaker.amazonaws.com more." in roles.inner_text()
    assert roles.locator("th").all_inner_texts() == ["role", "trusts SageMaker", "verdict"]
    assert roles.inner_text().count("only to pass the role") == 1


def test_a_policy_page_says_first_where_the_document_is_attached(open_page, site, sample_lake):
    """Of AdministratorAccess, which is attached to many, the first."""
    rows = open_lake(sample_lake).query("select policy_id from attachments where policy_name = 'AdministratorAccess'")
    page = open_page(f"{site}/policy.html#{rows['policy_id'][0].as_py()}")
    sections = page.locator("section h2")
    sections.first.wait_for()
    assert [text.split()[0] for text in sections.all_inner_texts()] == ["Attached", "Statements"]
    places = page.locator("section[aria-labelledby=places] dd").first.locator("code")
    assert places.locator("visible=true").count() == 8
    page.locator("section[aria-labelledby=places] summary").first.click()
    assert places.locator("visible=true").count() == places.count() > 8


def test_a_denied_answer_says_what_it_lacks(open_page, site):
    place = "principal.html#arn:aws:iam::333344445555:role/endpoint-deployer-as-printed"
    page = open_page(f"{site}/{place}&action=sagemaker:CreateEndpoint")
    page.locator(".group", has_text="Not enough: every call needs endpoint, too.").wait_for()
    page = open_page(f"{site}/principal.html#{ANA}&action=sagemaker:DeleteTags")
    page.locator(".group", has_text="denied by").wait_for()
    assert "Not enough" not in page.locator(".group").inner_text()


def test_the_overview_prints_with_a_cover(open_page, site):
    page = open_page(f"{site}/index.html")
    assert not page.locator(".cover").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".cover").is_visible()
    assert page.locator(".cover").evaluate("cover => getComputedStyle(cover).breakAfter") == "page"


def test_headings_labels_and_landmarks_are_there_for_a_screen_reader(open_page, site):
    for place in PAGES:
        page = open_page(f"{site}/{place}")
        page.wait_for_timeout(100)
        assert page.locator("h1").count() == 1, place
        assert page.locator("main, nav, header, footer").count() >= 4, place
        assert page.locator("html").get_attribute("lang") == "en"
        nameless = page.locator("input:not([aria-label]), select").evaluate_all(
            "fields => fields.filter(f => !f.labels.length).length"
        )
        assert nameless == 0, place
        assert page.locator("th:not([scope])").count() == 0, place
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
