"""The page of figures: it counts what is there, and says nothing else."""

from __future__ import annotations

from mangrove.resources.checking import check_service
from mangrove.resources.coverage import Coverage, coverage_of, page, total


def test_a_service_is_counted():
    found = coverage_of(check_service("sqs").used)
    definition = check_service("sqs").used.definition
    assert (found.service, found.types, found.boto3s, found.errors) == ("sqs", len(definition["resources"]), 2, 0)
    assert found.core <= found.types
    assert found.with_arn <= found.core
    assert found.no_call <= found.arns <= found.types
    assert found.actions >= 15


def test_figures_are_added_up():
    found = total([Coverage("a", types=2, core=1), Coverage("b", types=3)])
    assert (found["services"], found["types"], found["core"]) == (2, 5, 1)


def test_the_page_has_each_botocore_and_the_services_of_the_first():
    text = page({"2.0": [Coverage("a", types=1_000, core=10, with_arn=9)], "1.0": [Coverage("old")]})
    assert "| botocore 2.0 | botocore 1.0 |" in text
    assert "| types | 80 / 156 / 407 |  | 1,000 | 0 |" in text
    assert "9 of 10 (90.0%)" in text
    assert "| a | 1,000 | 10 | 9 | 0 | 0 | 0 |" in text
    assert "| old |" not in text
