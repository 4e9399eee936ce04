"""Deciding in several processes: the snapshot is the same, byte for byte, as that of one."""

import pickle

import pytest
from conftest import SAMPLE
from random_crossings import write_crossings

from pipeline.build import build_lake
from pipeline.evaluate import decide
from pipeline.evaluate.formula import Junction, Test, conjunction
from pipeline.evaluate.statements import pattern_glob

Test.__test__ = False  # a test of a policy, none of ours


def snapshots_of(inputs, tmp_path, processes):
    return {build_lake([inputs], tmp_path / str(count), processes=count).snapshot_id for count in processes}


@pytest.fixture
def every_case_is_shared(monkeypatch):
    monkeypatch.setattr(decide, "CASES_WORTH_A_PROCESS", 0)


@pytest.mark.usefixtures("every_case_is_shared")
def test_any_number_of_processes_builds_the_same_snapshot_of_the_sample(tmp_path):
    assert len(snapshots_of(SAMPLE, tmp_path, (1, 2, 3))) == 1


@pytest.mark.usefixtures("every_case_is_shared")
def test_two_processes_build_the_same_snapshot_where_accounts_share_resources(tmp_path):
    write_crossings(tmp_path / "in", 7)
    assert len(snapshots_of(tmp_path / "in", tmp_path, (1, 2))) == 1


def test_what_is_one_object_is_one_object_again_behind_the_pickle():
    test = Test("StringEquals", None, False, "aws:sourcevpc", ("vpc-1",))
    formula = conjunction((test, Test("Bool", None, False, "aws:securetransport", ("true",))))
    glob = pattern_glob("arn:aws:s3:::a*")
    assert isinstance(formula, Junction)
    for one in (test, formula, glob):
        assert pickle.loads(pickle.dumps(one)) is one
