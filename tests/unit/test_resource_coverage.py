"""The page of figures: it counts what is there, and says nothing else."""

from __future__ import annotations

import pytest

from mangrove.resources.checking import check_service
from mangrove.resources.coverage import Coverage, coverage_of, page, total


def test_a_service_is_counted():
    checked = check_service("sqs")
    found, definition = coverage_of(checked.used, checked.model), checked.used.definition
    assert (found.service, found.types, found.boto3s, found.errors) == ("sqs", len(definition["resources"]), 2, 0)
    assert found.core <= found.types
    assert found.with_arn <= found.core
    assert found.no_call <= found.arns <= found.types
    assert found.actions >= 15


@pytest.mark.parametrize("service", ["ec2", "s3", "gamelift", "lexv2-models"])
def test_a_core_type_has_an_arn_or_a_reason(service):
    checked = check_service(service)
    found = coverage_of(checked.used, checked.model)
    assert found.core == found.with_arn + found.unsure + found.others + found.nowhere


def test_a_types_reason_is_what_is_known_of_it():
    checked = check_service("lexv2-models")
    kinds, arns, forms = checked.used.kinds, checked.used.arns, checked.used.forms
    assert kinds["Intent"] == "core"
    assert "Intent" not in arns
    assert forms["Intent"]  # of the first version's intents, by names that the second version's data lack
    assert coverage_of(checked.used, checked.model).unsure >= 1


def test_figures_are_added_up():
    found = total([Coverage("a", types=2, core=1), Coverage("b", types=3)])
    assert (found["services"], found["types"], found["core"]) == (2, 5, 1)


def test_the_page_has_each_botocore_and_the_services_of_the_first():
    text = page({"2.0": [Coverage("a", types=1_000, core=10, with_arn=9)], "1.0": [Coverage("old")]})
    assert "| botocore 2.0 | botocore 1.0 |" in text
    assert "| types | 80 / 156 / 407 |  | 1,000 | 0 |" in text
    assert "9 of 10 (90.0%)" in text
    assert "9 of 9 (100.0%)" in text
    assert "| a | 1,000 | 10 | 9 | 0 | 0 | 0 |" in text
    assert "| old |" not in text
