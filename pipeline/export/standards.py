"""Standards by the names that readers of exports know them by; for NIST it is Security Hub's own."""

from collections.abc import Mapping, Sequence

#: By the id of a framework in ``sql/frameworks.toml``; others keep their id.
NAMES = {
    "aws-fsbp": "AWS Foundational Security Best Practices",
    "cis-aws-3": "CIS AWS Foundations Benchmark v3.0.0",
    "iso-27001-2022": "ISO/IEC 27001:2022",
    "nist-800-53-r5": "NIST.800-53.r5",
    "pci-dss-4": "PCI DSS v4.0",
    "soc2-2017": "SOC 2 2017",
}


def standards(frameworks: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names of the standards, in the order of their ids."""
    return [NAMES.get(name, name) for name in sorted(frameworks)]


def requirements(frameworks: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the requirements, each behind the name of its standard."""
    return [f"{NAMES.get(name, name)} {one}" for name, listed in sorted(frameworks.items()) for one in listed]
