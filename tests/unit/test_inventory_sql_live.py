"""What a statement needs of AWS: only its tables, and only where it provably looks."""

# ruff: noqa: E501, S608  statements read best on one line, and are the tests' own
from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from mangrove.errors import ConfigError
from mangrove.fleet import Outcome, Target
from mangrove.inventory.query.limits import Condition
from mangrove.inventory.query.live import Live
from mangrove.inventory.query.scope import EVERYWHERE, Place, Scope, scope_of
from mangrove.inventory.rows import Row
from mangrove.inventory.tables import Tables

A, B, C = "111111111111", "222222222222", "333333333333"
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
TABLES = Tables()
PLACE = Place([A, B, C], ["*"], frozenset(REGIONS))


class Aws:
    """Have a VPC, a subnet and a bucket in every region of every account, and a role in every account."""

    def __init__(self):
        self.asked = []
        self.fails = None

    def __call__(self, types, scope):
        self.asked.append((sorted(types), scope))
        return Rows(self, types, scope)


class Rows:
    def __init__(self, aws, types, scope):
        self.aws, self.types, self.scope = aws, types, scope
        self.outcomes = []

    def __iter__(self):
        for kind in self.types:
            for account in self.scope.accounts if self.scope.accounts is not None else (A, B, C):
                for region in REGIONS if kind != "iam.roles" else ("aws-global",):
                    terms = self.scope.regions
                    if kind != "iam.roles" and terms is not None and not any(fnmatchcase(region, t) for t in terms):
                        continue
                    target = Target(account, region, kind.partition(".")[0], type=kind)
                    if self.aws.fails == (account, region):
                        self.outcomes.append(Outcome(target, "denied", error=PermissionError("no\x1b[31m")))
                        continue
                    self.outcomes.append(Outcome(target, "ok"))
                    yield Row(
                        account, region, target.service, kind, f"{kind} of {account[0]} {region}", None, {}, "aws"
                    )


@pytest.fixture
def aws():
    return Aws()


@pytest.fixture
def live(aws):
    book = Live(aws, lambda: PLACE, ("ec2.vpcs", "ec2.subnets"), TABLES)
    yield book
    book.close()


EU = Scope(None, ("eu-west-1",))
LIMITED = [
    ("select * from ec2_vpcs where region = 'eu-west-1'", EU),
    ("select * from ec2_vpcs where 'eu-west-1' = region", EU),
    ("select * from ec2_vpcs v where v.region = 'eu-west-1'", EU),
    ("select * from ec2_vpcs where (region = 'eu-west-1') and name like 'x%' or false", EVERYWHERE),
    ("select * from ec2_vpcs where region in ('us-east-1', 'eu-west-1')", Scope(None, ("eu-west-1", "us-east-1"))),
    ("select * from ec2_vpcs where region like 'eu-%'", Scope(None, ("eu-*",))),
    ("select * from ec2_vpcs where region like 'eu-_est-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region like '%-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region like 'aws-%'", EVERYWHERE),
    ("select * from ec2_vpcs where region = 'aws-global'", EVERYWHERE),
    ("select * from ec2_vpcs where region = 'nowhere'", EVERYWHERE),
    ("select * from ec2_vpcs where account = '111111111111'", Scope((A,), None)),
    ("select * from ec2_vpcs where account like '1%' and region = 'eu-west-1'", Scope((A,), ("eu-west-1",))),
    ("select * from ec2_vpcs where account in ('111111111111', '999999999999')", Scope((A,), None)),
    ("select * from ec2_vpcs where account = '111111111111' and account <> '2'", Scope((A,), None)),
    ("select * from ec2_vpcs where region = 'eu-west-1' or region = 'us-east-1'", EVERYWHERE),
    ("select * from ec2_vpcs where not region = 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region <> 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region not in ('eu-west-1')", EVERYWHERE),
    ("select * from ec2_vpcs where upper(region) = 'EU-WEST-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region = name", EVERYWHERE),
    ("select * from ec2_vpcs where region || '' = 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region = 'eu-west-1' collate nocase", EVERYWHERE),
    ("select * from ec2_vpcs where (region = 'eu-west-1') is not true", EVERYWHERE),
    ("select count(*) filter (where region = 'eu-west-1') from ec2_vpcs", EVERYWHERE),
    ("select region from ec2_vpcs group by 1 having region = 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs qualify row_number() over () = 1 and region = 'eu-west-1'", EVERYWHERE),
    ("select * from (select * from ec2_vpcs) where region = 'eu-west-1'", EVERYWHERE),
    ("select * from (select * from ec2_vpcs where region = 'eu-west-1')", EU),
    ("with x as (select * from ec2_vpcs where region = 'eu-west-1') select * from x", EU),
    ("with x as (select * from ec2_vpcs) select * from x where region = 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs where region = 'eu-west-1' union select * from ec2_vpcs where region = 'us-east-1'", Scope(None, ("eu-west-1", "us-east-1"))),
    ("select * from ec2_vpcs where region = 'eu-west-1' union all select * from ec2_vpcs", EVERYWHERE),
    ("select * from ec2_vpcs where region = 'eu-west-1' and (select count(*) from ec2_vpcs) > 0", EVERYWHERE),
    ("select * from ec2_vpcs a, ec2_vpcs b where a.region = 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs a join ec2_vpcs b using (account) where a.region = 'eu-west-1' and b.region = 'us-east-1'", Scope(None, ("eu-west-1", "us-east-1"))),
    ("select * from ec2_vpcs tablesample 50% where region = 'eu-west-1'", EVERYWHERE),
    ("select * from ec2_vpcs as x(region, account) where region = 'eu-west-1'", EVERYWHERE),
    ("from query('select * from ec2_vpcs where region = ''eu-west-1''')", EVERYWHERE),
    ("explain analyze select * from ec2_vpcs where region = 'eu-west-1'", EU),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "scope"), LIMITED, ids=[text for text, _ in LIMITED])
def test_where_a_statement_provably_looks(aws, live, statement, scope):
    list(live.ask(statement))
    assert aws.asked == [(["ec2.vpcs"], scope)]


JOINS = [
    ("join", Scope((A,), None), EU),
    ("left join", Scope((A,), None), EU),
    ("right join", Scope((A,), None), EU),
    ("full join", Scope((A,), None), EU),
]


@pytest.mark.parametrize(("join", "left", "right"), JOINS)
def test_joins_limit_each_side(aws, live, join, left, right):
    statement = f"select v.name, s.name from ec2_vpcs v {join} ec2_subnets s on v.region = s.region and v.account = s.account where v.account = '{A}' and s.region = 'eu-west-1' order by all"
    found = list(live.ask(statement))
    assert {tuple(types): scope for types, scope in aws.asked} == {("ec2.vpcs",): left, ("ec2.subnets",): right}
    whole = Live(Aws(), lambda: Place([A, B, C], ["*"]), (), TABLES)
    whole.ask("select * from ec2_vpcs")
    whole.ask("select * from ec2_subnets")
    assert found == list(whole.ask(statement)) != []
    whole.close()


@pytest.mark.parametrize("join", ["semi join", "anti join"])
def test_other_joins_limit_nothing(aws, live, join):
    live.ask(f"select v.name from ec2_vpcs v {join} ec2_subnets s on v.region = s.region where v.region = 'eu-west-1'")
    assert [scope for _, scope in aws.asked] == [EVERYWHERE]


def test_only_the_tables_that_are_named(aws, live):
    assert list(live.ask("select count(*) from iam_roles")) == [(3,)]
    assert aws.asked == [(["iam.roles"], EVERYWHERE)]


def test_resources_has_the_types_that_were_asked_for(aws, live):
    live.ask("select * from iam_roles")
    found = list(live.ask("select type, count(*) from resources group by 1 order by 1"))
    assert found == [("ec2.subnets", 9), ("ec2.vpcs", 9)]
    assert aws.asked[1:] == [(["ec2.subnets", "ec2.vpcs"], EVERYWHERE)]


def test_a_type_limits_resources(aws, live):
    assert list(live.ask("select count(*) from resources where type = 'ec2.vpcs' and region = 'eu-west-1'")) == [(3,)]
    assert aws.asked == [(["ec2.vpcs"], EU)]


def test_what_was_collected_is_kept(aws, live):
    live.ask("select * from ec2_vpcs where region like 'eu-%'")
    live.ask("select * from ec2_vpcs where region = 'eu-west-1'")
    assert len(aws.asked) == 2  # a glob is no list
    live.ask("select * from ec2_vpcs")
    live.ask("select * from ec2_vpcs where region = 'us-east-1'")
    live.ask("select * from ec2_vpcs")
    assert len(aws.asked) == 3
    assert list(live.ask("select count(*) from ec2_vpcs")) == [(9,)]
    live.refresh()
    live.refresh()
    live.ask("select * from ec2_vpcs")
    assert len(aws.asked) == 4


@pytest.mark.parametrize(
    "statement",
    ["selec", "select nothing from ec2_vpcs", "select * from ec2_vpc", "select cont(*) from ec2_vpcs", "delete from ec2_vpcs", "select * from ec2_vpcs join nonsense using (x)"],
)  # fmt: skip
def test_what_is_broken_is_said_before_the_first_call(aws, live, statement):
    with pytest.raises(ConfigError):
        live.ask(statement)
    assert aws.asked == []


@pytest.mark.parametrize(
    "statement", ["describe ec2_vpcs", "explain select * from ec2_vpcs", "select 1", "show tables"]
)
def test_what_needs_no_row_asks_nothing_or_knows_it(aws, live, statement):
    list(live.ask(statement))
    assert len(aws.asked) <= (statement == "describe ec2_vpcs")


def test_nothing_is_asked_where_nothing_can_be(aws, live):
    assert list(live.ask("select count(*) from ec2_vpcs where account = '999999999999'")) == [(0,)]
    assert list(live.ask("select count(*) from ec2_vpcs where region = 'eu-west-1' and region = 'us-east-1'")) == [(0,)]
    assert aws.asked == []


def test_what_failed_is_told_for_the_tables_that_were_named(aws, live):
    aws.fails = (B, "eu-west-1")
    assert list(live.ask("select count(*) from ec2_vpcs")) == [(8,)]
    assert live.incomplete() == [f"{B} eu-west-1 ec2.vpcs: denied: no\x1b[31m"]
    aws.fails = None
    live.ask("select count(*) from ec2_subnets")
    assert live.incomplete() == []
    live.ask("select count(*) from ec2_vpcs")
    assert len(live.incomplete()) == 1  # it is kept with the rows


def test_a_collection_that_breaks_off_is_no_table(aws, live):
    def broken(types, scope):
        yield from list(Rows(aws, types, scope))[:2]
        raise KeyboardInterrupt

    live._collect = broken
    with pytest.raises(KeyboardInterrupt):
        live.ask("select count(*) from ec2_vpcs")
    live._collect = aws
    assert list(live.ask("select count(*) from ec2_vpcs")) == [(9,)]


conditions = st.lists(
    st.sampled_from(
        ["region = 'eu-west-1'", "region in ('eu-west-1', 'us-east-1')", "region like 'eu-%'", "region like '%1'",
         "account = '111111111111'", "account like '%2'", "account in ('111111111111', '333333333333')", "name is not null",
         "region <> 'us-east-1'", "(region = 'eu-west-1' or account = '222222222222')", "region = 'aws-global'"]
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def whole():
    book = Live(Aws(), lambda: Place([A, B, C], ["*"]), (), TABLES)
    book.ask("select * from ec2_vpcs")
    yield book
    book.close()


@given(conditions, st.sampled_from([" and ", " or "]))
@settings(max_examples=30, deadline=None)
def test_the_answer_is_that_of_the_whole(whole, parts, joined):
    statement = f"select name from ec2_vpcs where {joined.join(parts)} order by 1"
    book = Live(Aws(), lambda: PLACE, (), TABLES)
    assert list(book.ask(statement)) == list(whole.ask(statement))
    book.close()


def one(values):
    return Condition(values=frozenset(values))


@pytest.mark.parametrize(
    ("terms", "condition", "expected"),
    [
        (["*"], one(["eu-west-1"]), ("eu-west-1",)),
        (["us-*"], one(["eu-west-1"]), ()),
        (["eu-west-1", "us-east-1"], Condition(pattern="eu-%"), ("eu-west-1",)),
        (["eu-*"], Condition(pattern="eu-%"), None),
        (["eu-*"], one(["eu-west-1", "us-east-1"]), ("eu-west-1",)),
        (["us-east-1"], one(["eu-west-1"]), ()),
        # Global services' rows are there whatever the regions.
        (["eu-west-1"], Condition(pattern="aws-%"), None),
        (["eu-west-1"], Condition(pattern="%global"), None),
    ],
)
def test_limits_meet_the_regions_that_were_asked_for(terms, condition, expected):
    assert scope_of([{"region": [condition]}], Place([A], terms, frozenset(REGIONS))).regions == expected


def test_an_account_with_regions_of_its_own_is_not_narrowed():
    assert scope_of([{"region": [one(["eu-west-1"])]}], Place([A], ["*"])) == EVERYWHERE


@given(st.text("ab%_.*\\", max_size=6), st.text("ab.*\\", max_size=6))
@settings(max_examples=60, deadline=None)
def test_patterns_are_those_of_sql(pattern, value):
    import duckdb

    (found,) = duckdb.execute("select ? like ?", [value, pattern]).fetchall()[0]
    assert Condition(pattern=pattern).meets(value) == found
