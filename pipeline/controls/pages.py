"""The pages of docs/controls: one a control, made of what its file says, and a list of all. Must not write files."""

from collections.abc import Iterator, Mapping, Sequence

from pipeline.controls.frameworks import Framework
from pipeline.controls.model import CATEGORIES, SEVERITIES, Control
from pipeline.wording import one_line

GENERATED = "Generated from the control's file by `make docs`; do not edit."
CATEGORY_TITLES = {
    "guide": "What AWS's guide for SageMaker teaches",
    "grants": "Dangerous grants",
    "hygiene": "Hygiene",
}
#: What mappings to frameworks are worth.
HONEST = """A control checks a requirement where it tests the very thing that the requirement asks for, as far as a
lake holds it. It supports one where it helps and no more. Titles are ours, not the framework's, and nothing here proves
that one complies."""


def page(control: Control, frameworks: Mapping[str, Framework]) -> str:
    """Return the page of a control."""
    lines = [f"# {control.title}", "", f"`{control.id}`, {control.severity}. {GENERATED}", ""]
    lines += [control.rationale, "", "## Avoid", "", *_example(control.avoid), "", "## Prefer", ""]
    lines += [*_example(control.prefer), "", "## What to do", "", control.remedy, "", *_uncorrected(control)]
    lines += [*_parameters(control)]
    lines += [*_requirements(control, frameworks), *_acceptance(control)]
    return "\n".join(lines).rstrip() + "\n"


def _example(text: str) -> list[str]:
    """Return an example: what begins with a brace is a policy's text, all else is prose."""
    return ["```json", text, "```"] if text.startswith(("{", "[")) else [text]


def _uncorrected(control: Control) -> list[str]:
    return [f"No finding has a corrected statement: {control.uncorrected}", ""] if control.uncorrected else []


def _parameters(control: Control) -> Iterator[str]:
    if control.parameters:
        yield from ("## Parameters", "", "| parameter | default | meaning |", "| --- | --- | --- |")
        for p in control.parameters:
            default = ", ".join(p.default) if isinstance(p.default, list) else str(p.default)
            yield f"| `{p.name}` | `{default}` | {_cell(p.description)} |"
        first = control.parameters[0]
        yield from ("", f"Set one with `--set {control.id}.{first.name}=VALUE`.", "")


def _requirements(control: Control, frameworks: Mapping[str, Framework]) -> Iterator[str]:
    if not control.frameworks:
        return
    yield from ("## Frameworks", "", "| framework | requirement | the control |", "| --- | --- | --- |")
    for name, ids in control.frameworks.items():
        framework = frameworks.get(name)
        for one in ids:
            title, does = framework.told(one, control.id) if framework else (one, "supports it")
            yield f"| {framework.title if framework else name} | {_cell(title)} | {does} |"
    yield ""


def _acceptance(control: Control) -> Iterator[str]:
    yield from ("## Accepting the risk", "", "In `exceptions.toml`, for one finding or for a pattern of subjects:", "")
    yield from ("```toml", "[[exception]]", f'control = "{control.id}"')
    yield 'subject = "*"  # the subject or the finding_id'
    yield from ('reason = "why this is right here"', 'approver = "who decided"', "expiry = 2027-03-31", "```")


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def index(controls: Sequence[Control], frameworks: Mapping[str, Framework]) -> str:
    """Return the page that lists all controls and frameworks."""
    lines = ["# Controls", "", "Generated from `sql/controls` and `sql/frameworks.toml` by `make docs`.", ""]
    for category in CATEGORIES:
        lines += [f"## {CATEGORY_TITLES[category]}", "", "| control | severity | finds |", "| --- | --- | --- |"]
        of_it = [control for control in controls if control.category == category]
        for c in sorted(of_it, key=lambda c: (SEVERITIES.index(c.severity), c.id)):
            lines.append(f"| [`{c.id}`]({c.id}.md) | {c.severity} | {_cell(c.title)} |")
        lines.append("")
    lines += [*_frameworks(controls, frameworks)]
    return "\n".join(lines).rstrip() + "\n"


def _frameworks(controls: Sequence[Control], frameworks: Mapping[str, Framework]) -> Iterator[str]:
    yield from ("## Frameworks", "")
    yield HONEST
    for framework in frameworks.values():
        yield from ("", f"### {framework.title}", "", f"Ids: {framework.source}", "")
        yield from ("| requirement | checked by | supported by |", "| --- | --- | --- |")
        for requirement in framework.requirements.values():
            named = [c.id for c in controls if requirement.id in c.frameworks.get(framework.id, ())]
            checks = [name for name in named if name in requirement.checked_by]
            yield "| {} | {} | {} |".format(
                _cell(f"{requirement.id}: {requirement.title}"),
                ", ".join(f"`{name}`" for name in checks),
                ", ".join(f"`{name}`" for name in named if name not in checks),
            )
