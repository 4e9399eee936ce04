"""Measures a whole build of a large made-up organization against the floor of the same run: `make bench`.

The floor is what no program could leave out: decoding every input byte and writing the same tables. Every step
runs in a process of its own, so that its peak memory is its own. Prints a table; asserts nothing.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if not __package__:  # run as a script: python bench/run.py
    sys.path.insert(0, str(ROOT))

CACHE = ROOT / ".bench"
#: All of AWS's managed policies; the generator's own list has those that SageMaker users attach.
MANAGED_POLICIES = ROOT.parent / "shared" / "data" / "aws-managed-policies.jsonl"
KIB_PER_MIB = 1024
AIM_RATIO, AIM_GIB = 4, 1.5
MILLION = (3333, 300)
MILLION_SECONDS, MILLION_GIB = 600, 4
#: Cells that the peer decides.
PEER_CELLS = 2000
PEER = "@cloud-copilot/iam-simulate"
SIMULATED = 2000
SOME_REJECTED = 3

DECODE = """
import sys
from pathlib import Path
import msgspec
for path in sorted(Path(sys.argv[1]).rglob("*.json")):
    msgspec.json.decode(path.read_bytes())
"""
#: Decodes, then writes the tables, which are read from the lake: reading them is timed apart and taken off.
FLOOR = """
import sys, time
from pathlib import Path
import msgspec
import pyarrow.parquet as pq
start = time.perf_counter()
for path in sorted(Path(sys.argv[1]).rglob("*.json")):
    msgspec.json.decode(path.read_bytes())
spent = time.perf_counter() - start
out = Path(sys.argv[3])
for path in sorted(Path(sys.argv[2]).glob("*/*.parquet")):
    table = pq.read_table(path)
    start = time.perf_counter()
    pq.write_table(table, out / f"{path.parent.name}-{path.name}", compression="zstd")
    spent += time.perf_counter() - start
print(spent)
"""
REQUESTS = """
import json, sys
from pathlib import Path
from pipeline.lake import open_lake
rows = open_lake(Path(sys.argv[1])).query(
    "select principal_arn, action, resource_pattern from access order by hash(principal_arn || action) limit $most",
    {"most": int(sys.argv[2])},
).to_pylist()
for row in rows:
    resource = row["resource_pattern"].replace("*", "x") if row["resource_pattern"] != "*" else "*"
    print(json.dumps({"principal": row["principal_arn"], "action": row["action"], "resource": resource, "context": {}}))
"""


#: Of every process that is measured: a setting of the shell that forbids compiled modules would time the compiler.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
#: The principal whose page has most to tell.
SOMEBODY = """
import sys
from pathlib import Path
from pipeline.lake import open_lake
rows = open_lake(Path(sys.argv[1])).query(
    "select principal_arn from access_matrix where verdict = 'conditional' "
    "group by principal_arn order by count(*) desc, principal_arn limit 1"
).to_pylist()
print(rows[0]["principal_arn"] if rows else "")
"""


class Measured(NamedTuple):
    """A finished process: wall time in seconds, peak resident memory in MiB (of one process, the largest), exit code,
    what it printed."""

    seconds: float
    mebibytes: float
    code: int
    output: str


def measure(
    arguments: Sequence[str], stdin: Path | None = None, *, folder: Path = ROOT, said: IO[str] | int | None = None
) -> Measured:
    """Run a process in a folder and return what it took; ``said`` takes what it says on standard error."""
    start = time.perf_counter()
    with open(stdin or os.devnull, "rb") as source:
        process = subprocess.Popen(
            arguments, stdin=source, stdout=subprocess.PIPE, stderr=said, text=True, cwd=folder, env=ENVIRONMENT
        )
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(time.perf_counter() - start, usage.ru_maxrss / KIB_PER_MIB, process.returncode, output)


def organization(accounts: int, principals: int) -> Path:
    """Return the folder of the generated organization; it is kept between runs."""
    from bench.generate import generate

    folder = CACHE / f"{accounts}x{principals}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        summary = generate(folder / "in", accounts, principals)
        (folder / "done").write_text(json.dumps({"bytes": summary.bytes, "principals": summary.principals}))
    return folder


def floor(folder: Path, lake: Path) -> Measured:
    """Decode the inputs and write the lake's tables again; the time is that of these two things alone."""
    written = folder / "floor"
    shutil.rmtree(written, ignore_errors=True)
    written.mkdir()
    snapshot = lake / "snapshots" / (lake / "CURRENT").read_text().strip()
    done = measure([sys.executable, "-c", FLOOR, str(folder / "in"), str(snapshot), str(written)])
    return done._replace(seconds=float(done.output))


def build(folder: Path, lake: Path) -> Measured:
    """Build the lake anew by the command line. Raises RuntimeError where it fails."""
    shutil.rmtree(lake, ignore_errors=True)
    return rebuild(folder, lake)


def rebuild(folder: Path, lake: Path) -> Measured:
    """Build the lake by the command line, with what it has in its cache; the memory is that of all its processes.

    Raises RuntimeError where it fails.
    """
    timings = folder / "timings"
    with timings.open("w") as said:
        done = measure([*COMMAND, "build", str(folder / "in"), "--lake", str(lake), "-q", "--timings"], said=said)
    if done.code not in (0, SOME_REJECTED):
        raise RuntimeError(f"the build ended with {done.code}: {timings.read_text()}")
    return done._replace(mebibytes=float(timings.read_text().split()[-1]))


def change_one_account(folder: Path) -> None:
    """Give the first role of an account in the middle another inline policy, a new one each time."""
    files = sorted((folder / "in" / "accounts").iterdir())
    file = files[len(files) // 2]
    pages = json.loads(file.read_text())
    roles = [role for page in (pages if isinstance(pages, list) else [pages]) for role in page["RoleDetailList"]]
    statement = {"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*", "Sid": f"At{time.time_ns()}"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    roles[0]["RolePolicyList"] = [{"PolicyName": "changed", "PolicyDocument": document}]
    file.write_text(json.dumps(pages))


COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()")


def simulation(requests: Path, lake: Path, lines: Sequence[str]) -> tuple[int, Measured]:
    """Decide requests; return how many, and what it took."""
    requests.write_text("\n".join(lines))
    return len(lines), measure([*COMMAND, "simulate", "--requests", str(requests), "--lake", str(lake)])


def requests_of_lake(lake: Path) -> list[str]:
    """Return requests made of rows of access, of principals from everywhere."""
    return measure([sys.executable, "-c", REQUESTS, str(lake), str(SIMULATED)]).output.splitlines()


def requests_of_cases() -> list[str]:
    """Return the requests of the tests' cases, which carry their own policies, again and again."""
    texts = [path.read_text() for path in sorted((ROOT / "tests" / "cases" / "decisions").glob("*.jsonl"))]
    cases = [json.loads(line) for text in texts for line in text.splitlines() if line.strip()]
    of_tests = ("id", "rule", "expected")
    lines = [json.dumps({name: case[name] for name in case if name not in of_tests}) for case in cases]
    return [lines[number % len(lines)] for number in range(SIMULATED)] if lines else []


def machine() -> str:
    """Return what the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.1f} GiB, {platform.machine()}, Python {platform.python_version()}, "
        f"DuckDB {version('duckdb')}, msgspec {version('msgspec')}, pyarrow {version('pyarrow')}"
    )


def _line(what: str, done: Measured, of: Measured | None = None) -> str:
    ratio = f"{done.seconds / of.seconds:8.1f}x" if of else " " * 9
    return f"{what:<42}{done.seconds:10.2f} s{done.mebibytes:10.0f} MiB{ratio}"


def managed_policies() -> Path | None:
    """Return a folder with each AWS managed policy as a loose document; None where their list is missing."""
    folder = CACHE / "managed"
    if not MANAGED_POLICIES.exists():
        return None
    if not folder.exists():
        folder.mkdir(parents=True)
        for line in MANAGED_POLICIES.read_text(encoding="utf-8").splitlines():
            policy = json.loads(line)
            (folder / f"{policy['name']}.json").write_text(json.dumps(policy["document"]), encoding="utf-8")
    return folder


def _print_formulas(folder: Path) -> None:
    """Print what formulas cost, and how fast the concrete evaluator is."""
    script = str(ROOT / "bench" / "formulas.py")
    print(f"\n{'formulas, processor time of one process':<42}{'solved':>10}{'a second':>12}{'share of build':>16}")
    inputs = {"this organization": folder / "in", "all AWS managed policies": managed_policies()}
    for what, of in inputs.items():
        if of is None:
            print(f"{what}: skipped, they do not lie beside this checkout")
            continue
        found = json.loads(measure([sys.executable, script, str(of), str(folder / "formulas")]).output)
        shutil.rmtree(folder / "formulas", ignore_errors=True)
        rate = found["solved"] / max(found["solving"], 1e-9)
        print(f"{what:<42}{found['solved']:>10,}{rate:>12,.0f}{found['formulas'] / found['build']:>16.0%}")
    found = json.loads(measure([sys.executable, script, "--decisions"]).output)
    print(f"{'decisions of the concrete evaluator':<42}{'':>10}{found['decisions'] / found['seconds']:>12,.0f}")


def _print_scale(folder: Path, lake: Path, first: Measured) -> None:
    """Print what a second build takes, how many cells are decided a second, and how large the lake is."""
    unchanged = rebuild(folder, lake)
    change_one_account(folder)
    changed = rebuild(folder, lake)
    shutil.rmtree(folder / "in")
    (folder / "done").unlink()
    print(_line("build again, nothing changed", unchanged), f"{unchanged.seconds / first.seconds:6.0%} of the first")
    print(_line("build again, one account changed", changed), f"{changed.seconds / first.seconds:6.0%} of the first")
    snapshot = lake / "snapshots" / (lake / "CURRENT").read_text().strip()
    counts = json.loads((snapshot / "manifest.json").read_text())["counts"]
    size = sum(path.stat().st_size for path in snapshot.rglob("*") if path.is_file())
    cells = counts["principal_profiles"] * counts["evaluated_actions"]
    print(f"\n{'lake':<42}{size / counts['principal_profiles']:10.0f} bytes a principal")
    print(f"{'decisions (principals x actions)':<42}{cells / first.seconds:10,.0f} a second of the whole build")
    _print_peer(folder, lake, cells / first.seconds)


def _print_peer(folder: Path, lake: Path, ours: float) -> None:
    """Print how many of the same cells the peer decides a second."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        print(f"{PEER}: skipped, Node.js is not installed")
        return
    place = CACHE / "peer"
    place.mkdir(exist_ok=True)
    if measure([npm, "install", "--silent", "--no-audit", "--no-fund", PEER], folder=place).code:
        print(f"{PEER}: skipped, npm cannot install it")
        return
    shutil.copy(ROOT / "bench" / "peer.mjs", place)
    lines = measure([sys.executable, str(ROOT / "bench" / "peer.py"), str(lake), str(PEER_CELLS)]).output
    (folder / "peer.jsonl").write_text(lines)
    found = json.loads(measure([node, "peer.mjs"], folder / "peer.jsonl", folder=place).output)
    release = json.loads((place / "node_modules" / PEER / "package.json").read_text())["version"]
    rate = found["decisions"] / found["seconds"]
    print(f"{PEER + ' ' + release:<42}{rate:10,.0f} a second of {found['decisions']:,} such cells: {ours / rate:,.0f}x")


def million() -> int:
    """Build an organization of a million principals and print what it took."""
    folder = organization(*MILLION)
    held = json.loads((folder / "done").read_text())
    print(machine())
    print(f"{MILLION[0]} accounts x {MILLION[1]} principals: {held['bytes'] / 1e6:.1f} MB of input")
    lake = folder / "lake"
    built = build(folder, lake)
    print(f"\n{'step':<42}{'wall time':>12}{'peak memory':>14}")
    print(_line("policylake build, the whole", built))
    snapshot = lake / "snapshots" / (lake / "CURRENT").read_text().strip()
    size = sum(path.stat().st_size for path in snapshot.rglob("*") if path.is_file())
    print(_line("policylake who-can sagemaker:CreateModel", who_can(folder, lake)))
    print(f"{'lake':<42}{size / held['principals']:10.0f} bytes a principal")
    print(f"\naim: {MILLION_SECONDS} s on two cores and {MILLION_GIB} GiB;", end=" ")
    print(f"this run: {built.seconds:.0f} s and {built.mebibytes / 1024:.2f} GiB")
    return 0


def who_can(folder: Path, lake: Path) -> Measured:
    """Ask who can do one action."""
    out = str(folder / "who-can.parquet")
    return measure([*COMMAND, "who-can", "sagemaker:CreateModel", "--lake", str(lake), "--out", out])


def _print_report(folder: Path, lake: Path) -> None:
    """Print what writing the report takes, how large its folder is, and its largest file and page."""
    out = folder / "report"
    done = measure([*COMMAND, "report", "--lake", str(lake), "--out", str(out)], said=subprocess.DEVNULL)
    sizes = {path: path.stat().st_size for path in out.rglob("*") if path.is_file()}
    page = max((size for path, size in sizes.items() if path.suffix == ".html"), default=0)
    told = f"{sum(sizes.values()) / 1e6:.0f} MB, largest page {page / 1e6:.2f} MB"
    print(_line("policylake report", done), told + f", largest file {max(sizes.values(), default=0) / 1e6:.2f} MB")
    principal = measure([sys.executable, "-c", SOMEBODY, str(lake)]).output.strip()
    pages = measure([sys.executable, str(ROOT / "bench" / "pages.py"), str(out), principal])
    for what, seconds in json.loads(pages.output or "{}").items():
        print(f"{'page in Chromium: ' + what:<46}{seconds:6.2f} s")
    if pages.output.strip() in ("", "{}"):
        print("pages in a browser: skipped, Chromium is not installed or does not start")
    shutil.rmtree(out, ignore_errors=True)


def _print_controls(folder: Path, lake: Path) -> None:
    """Print what running all controls takes, and how many findings they have."""
    out = folder / "findings.parquet"
    done = measure([*COMMAND, "check", "--lake", str(lake), "--out", str(out)], said=subprocess.DEVNULL)
    print(_line("policylake check, all controls", done), f"ended with {done.code}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    parser.add_argument("--small", action="store_true", help="10 accounts x 60 principals, to try it out")
    parser.add_argument("--million", action="store_true", help="a million principals: the build alone")
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--principals", type=int)
    given = parser.parse_args(arguments)
    if given.million:
        return million()
    usual = (10, 60) if given.small else (200, 300)
    accounts, principals = given.accounts or usual[0], given.principals or usual[1]

    folder = organization(accounts, principals)
    lake = folder / "lake"
    held = json.loads((folder / "done").read_text())
    print(machine())
    print(f"{accounts} accounts x {principals} principals: {held['bytes'] / 1e6:.1f} MB of input")
    built = build(folder, lake)
    least = floor(folder, lake)
    decoded = measure([sys.executable, "-c", DECODE, str(folder / "in")])
    print(f"\n{'step':<42}{'wall time':>12}{'peak memory':>14}{'of floor':>9}")
    print(_line("decode every input byte (with start)", decoded))
    print(_line("floor: decode, write the same tables", least))
    print(_line("policylake build, the whole", built, least))
    asked, bare = who_can(folder, lake), measure([sys.executable, "-c", "import duckdb; duckdb.sql('select 1').show()"])
    print(_line("Python, import duckdb, select 1", bare))
    print(_line("policylake who-can sagemaker:CreateModel", asked), f"{asked.seconds / bare.seconds:5.1f}x of that")
    _print_controls(folder, lake)
    _print_report(folder, lake)
    for kind, lines in (("of the lake", requests_of_lake(lake)), ("of the tests", requests_of_cases())):
        count, decided = simulation(folder / "requests.jsonl", lake, lines)
        if decided.code == 0 and count:
            rate = f"{count / decided.seconds:9,.0f}/s"
            print(_line(f"policylake simulate, {count:,} {kind}", decided), rate)
    _print_formulas(folder)
    _print_scale(folder, lake, built)
    ratio = built.seconds / least.seconds
    print("\naims: formulas a third of the build, 10,000 decisions a second of the concrete evaluator on one core")
    print(f"aim: within {AIM_RATIO}x of the floor and {AIM_GIB} GiB;", end=" ")
    print(f"this run: {ratio:.1f}x and {built.mebibytes / 1024:.2f} GiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
