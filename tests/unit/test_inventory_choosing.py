"""Which types and rows are meant: names, globs, patterns of ARNs, tags and conditions."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from mangrove.errors import (
    ConfigError,
    DeclarationTypeError,
    InvalidArnError,
    UnknownResourceError,
    UnknownServiceError,
)
from mangrove.inventory import DEFAULT_TYPES, Kind, Row
from mangrove.inventory.choosing import choose
from mangrove.inventory.rows import document_of
from mangrove.inventory.wanted import Wanted
from mangrove.resources.ways import Ways

WAYS = Ways()


def names(*types):
    return [choice.kind.name for choice in choose(types, WAYS)]


class TestTypes:
    @pytest.mark.parametrize("types", [["ec2"], ["ec2."], [".instances"], ["EC2.Instances"], [7], [None], [], 7])
    def test_what_names_no_type_is_refused(self, types):
        with pytest.raises(ConfigError):
            choose(types, WAYS)

    @pytest.mark.parametrize(
        ("name", "error", "says"),
        [
            ("ecc.instances", UnknownServiceError, "did you mean"),
            ("ecc.*", UnknownServiceError, "did you mean"),
            ("ec2.instance", UnknownResourceError, "ec2 has no collection 'instance'; did you mean 'instances'"),
            (
                "ec2.instanc?",
                UnknownResourceError,
                "no type is called like 'ec2.instanc.'; did you mean 'ec2.instances'",
            ),
            ("ecs.clusters.service", UnknownResourceError, "ecs.clusters has no collection 'service'; did you mean"),
            ("s3.buckets.objects", UnknownResourceError, "can't be listed"),
            ("arn:aws:ec2:*", InvalidArnError, "it has 4 of an ARN's six fields"),
            ("arn:aws:nothing:*:*:thing/*", UnknownResourceError, "no type that can be listed has ARNs like"),
        ],
    )
    def test_a_type_that_is_not_there_is_refused(self, name, error, says):
        with pytest.raises(error, match=says):
            choose([name], WAYS)

    def test_one_name_may_stand_alone_and_each_type_is_there_once(self):
        assert [choice.kind.name for choice in choose("sns.topics", WAYS)] == ["sns.topics"]
        assert names("sns.topics", Kind("sns.topics"), "sns.topic*") == ["sns.topics"]

    def test_a_glob_stands_for_what_is_listed_without_parameters(self):
        found = names("rds.*")
        assert {"rds.db_instances", "rds.db_clusters", "rds.db_snapshots"} <= set(found)
        assert all(name.count(".") == 1 for name in found)
        # What AWS offers to everybody is no resource of an account.
        assert "ec2.instance_types" not in names("ec2.*")
        assert {"ec2.images", "ec2.snapshots"} <= set(names("ec2.*"))

    def test_a_glob_has_the_usual_types_below_others_too(self):
        assert "ecs.clusters.services" in names("ecs.*")
        assert "ecs.clusters.container_instances" not in names("ecs.*")

    @pytest.mark.parametrize(
        ("pattern", "types"),
        [
            ("arn:aws:ec2:*:*:volume/*", ["ec2.volumes"]),
            ("arn:aws:s3:::logs-*", ["s3.buckets"]),
            ("arn:aws:ecs:eu-*:*:service/*", ["ecs.clusters.services"]),
            ("arn:*:iam::*:role/*", ["iam.roles"]),
        ],
    )
    def test_a_pattern_stands_for_the_types_with_such_arns(self, pattern, types):
        assert names(pattern) == types

    def test_a_pattern_narrows_unless_the_type_is_named_too(self):
        pattern = "arn:aws:ec2:eu-*:*:volume/*"
        (choice,) = choose([pattern], WAYS)
        assert (len(choice.patterns), choice.regional) == (1, True)
        (choice,) = choose([pattern, "ec2.volumes"], WAYS)
        assert choice.patterns == ()
        (choice,) = choose(["arn:aws:s3:::a*", "arn:aws:s3:::b*"], WAYS)
        assert (len(choice.patterns), choice.regional) == (2, False)

    def test_the_default_types_are_what_they_say(self):
        assert names(*DEFAULT_TYPES) == list(DEFAULT_TYPES)


def row(tags, **data):
    return Row("111111111111", "eu-west-1", "ec2", "ec2.vpcs", "vpc-1", None, tags, "aws", data)


class TestRows:
    @pytest.mark.parametrize(
        ("asked", "tags", "wanted"),
        [
            ({"team": "web"}, {"team": "web"}, True),
            ({"team": "web"}, {"team": "db"}, False),
            ({"team": "w*"}, {"team": "web"}, True),
            ({"team": ["db", "web"]}, {"team": "web"}, True),
            ({"team": None}, {"team": ""}, True),
            ({"team": None}, {}, False),
            ({"team": "!web"}, {}, True),
            ({"team": "!web"}, {"team": "web"}, False),
            ({"team": "!*"}, {"team": "web"}, False),
            ({"team": ["w*", "!web"]}, {"team": "web"}, False),
            ({"team": ["w*", "!web"]}, {"team": "wiki"}, True),
            ({"Team": "web"}, {"team": "web"}, False),
            ({"team": "web", "env": "prod"}, {"team": "web"}, False),
            # Nobody knows which tags it has.
            ({"team": "!web"}, None, False),
        ],
    )
    def test_tags(self, asked, tags, wanted):
        assert Wanted.of(asked, None).row(row(tags)) is wanted

    @pytest.mark.parametrize(
        ("where", "wanted"),
        [
            ("IsDefault", True),
            ("!IsDefault", False),
            ("data.IsDefault && region == 'eu-west-1'", True),
            ("Size > `4`", True),
            ("Size", True),
            ("starts_with(Since, '2026-01')", True),
            ("tags.team == 'web'", True),
            ("starts_with(name, 'vpc-') && account != '222222222222'", True),
            ("Missing", False),
            ("arn", False),
        ],
    )
    def test_a_condition_is_over_the_row_and_its_members(self, where, wanted):
        since = datetime(2026, 1, 2, tzinfo=timezone.utc)
        found = Wanted.of(None, where).row(row({"team": "web"}, IsDefault=True, Size=8, Since=since))
        assert found is wanted

    def test_a_member_never_hides_what_the_row_says(self):
        assert document_of(row({}, name="theirs", region="theirs"))["name"] == "vpc-1"

    @pytest.mark.parametrize("where", ["State.", "nothing(name)", "length()", ""])
    def test_a_condition_that_can_t_be_read_is_refused(self, where):
        with pytest.raises(ConfigError, match="where"):
            Wanted.of(None, where)

    @pytest.mark.parametrize(
        ("tags", "error"),
        [("team", DeclarationTypeError), ({"": "x"}, ConfigError), ({"a": []}, ConfigError), ({"a": [1]}, TypeError)],
    )
    def test_tags_of_no_use_are_refused(self, tags, error):
        with pytest.raises(error):
            Wanted.of(tags, None)
