"""The accounts of an organization, on the embedded AWS: which ones, and with how many calls."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from mangrove import accounts
from mangrove.errors import ConfigError, NoAccountsError, OrganizationError

MANAGEMENT = "123456789012"


class Made:
    """An organization: / (management, root-one), /prod (db), /prod/web (shop, blog), /prod/old (fax), /dev (lab)."""

    def __init__(self, aws):
        self.session = aws.session()
        self.client = self.session.client("organizations")
        self.client.create_organization(FeatureSet="ALL")
        self.root = self.client.list_roots()["Roots"][0]["Id"]
        self.units = {"/": self.root}
        self.ids = {}
        for path in ("/prod", "/dev", "/prod/web", "/prod/old"):
            parent, _, name = path.rpartition("/")
            answer = self.client.create_organizational_unit(ParentId=self.units[parent or "/"], Name=name)
            self.units[path] = answer["OrganizationalUnit"]["Id"]
        for name, path, tags in (
            ("root-one", "/", {}),
            ("db", "/prod", {"env": "prod"}),
            ("shop", "/prod/web", {"env": "prod", "team": "web"}),
            ("blog", "/prod/web", {"env": "stage", "team": "web"}),
            ("fax", "/prod/old", {"env": "prod"}),
            ("lab", "/dev", {"env": "dev"}),
        ):
            self.add(name, path, tags)
        self.calls = Counter()
        self.session.events.register("before-call", self.count)

    def add(self, name, path, tags):
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        answer = self.client.create_account(AccountName=name, Email=f"{name}@example.com", Tags=listed)
        self.ids[name] = answer["CreateAccountStatus"]["AccountId"]
        if path != "/":
            self.client.move_account(
                AccountId=self.ids[name], SourceParentId=self.root, DestinationParentId=self.units[path]
            )

    def count(self, model, **_):
        self.calls[model.name] += 1

    def find(self, **arguments):
        self.calls.clear()
        return accounts.from_organization(self.session, **arguments)

    def names(self, **arguments):
        return [account.name for account in self.find(**arguments)]


@pytest.fixture
def made(embedded_aws):
    return Made(embedded_aws)


ALL = ["blog", "db", "fax", "lab", "root-one", "shop"]


def test_one_call_lists_all_but_the_management_account(made):
    found = made.find()
    assert [account.name for account in found] == ALL
    assert made.calls == {"ListAccounts": 1}
    shop = found[-1]
    assert (shop.id, shop.email) == (made.ids["shop"], "shop@example.com")
    assert (shop.ou_path, shop.tags) == (None, None)  # nobody asked
    assert shop.role_arn() == f"arn:aws:iam::{shop.id}:role/OrganizationAccountAccessRole"


def test_pages_are_followed(made):
    for number in range(100):  # moto's page has 100, AWS's 20
        made.add(f"more-{number}", "/", {})
    assert len(made.find()) == 106
    assert made.calls == {"ListAccounts": 2}


def test_every_assumed_role_is_that_of_its_account(made):
    for account in made.find(role="OrganizationAccountAccessRole", external_id="{id}-{name}"):
        answer = made.session.client("sts").assume_role(
            RoleArn=account.role_arn(),
            RoleSessionName=account.render("audit-{name}"),
            ExternalId=account.external_id,
        )
        assert answer["AssumedRoleUser"]["Arn"].split(":")[4] == account.id
        assert account.external_id == f"{account.id}-{account.name}"


# -- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ou", "names", "calls"),
    [
        # roots, units looked into, units taken
        ("/", ALL, (1, 5, 5)),
        ("/prod", ["blog", "db", "fax", "shop"], (1, 4, 3)),
        ("/prod/web", ["blog", "shop"], (1, 3, 1)),
        ("/prod/*", ["blog", "fax", "shop"], (1, 4, 2)),
        (["/prod", "!/prod/*"], ["db"], (1, 2, 1)),
        (["/prod", "!/prod/old"], ["blog", "db", "shop"], (1, 3, 2)),
        ("!/prod", ["lab", "root-one"], (1, 2, 2)),
        (["/dev", "/prod/old"], ["fax", "lab"], (1, 4, 2)),
        ("/**/w*", ["blog", "shop"], (1, 5, 1)),
    ],
)
def test_units_by_path_look_into_no_other_branch(made, ou, names, calls):
    assert made.names(ou=ou) == names
    operations = ("ListRoots", "ListOrganizationalUnitsForParent", "ListAccountsForParent")
    assert tuple(made.calls[operation] for operation in operations) == calls
    assert set(made.calls) <= set(operations)


def test_units_by_id(made):
    assert made.names(ou=made.units["/prod/web"]) == ["blog", "shop"]
    assert made.names(ou=made.root) == ALL
    assert made.names(ou=[made.units["/prod"], f"!{made.units['/prod/old']}"]) == ["blog", "db", "shop"]


def test_a_unit_found_by_id_ends_the_search(made):
    made.find(ou=made.units["/dev"])
    # The root, where it is found, and the unit itself; not /prod.
    assert made.calls["ListOrganizationalUnitsForParent"] == 2


def test_paths_on_request(made):
    found = made.find(include_ou_paths=True)
    assert {account.name: account.ou_path for account in found} == {
        "root-one": "/",
        "db": "/prod",
        "shop": "/prod/web",
        "blog": "/prod/web",
        "fax": "/prod/old",
        "lab": "/dev",
    }
    assert sum(made.calls.values()) == 1 + 2 * len(made.units)
    assert [account.name for account in accounts.where(found, ou="/prod/web")] == ["blog", "shop"]


@pytest.mark.parametrize(
    ("ou", "says"),
    [
        ("/prdo", "no organizational unit '/prdo'; did you mean '/prod'"),
        ("/prod/wep", "no organizational unit '/prod/wep'; did you mean '/prod/web'"),
        ("/qa-*", r"no organizational unit '/qa-\*'"),
        (["/prod", "!/prod/odl"], "no organizational unit '!/prod/odl'; did you mean '/prod/old'"),
        (["/prod", "!/prdo"], "no organizational unit '!/prdo'"),
        ("ou-ab12-34cd56ef", "no organizational unit 'ou-ab12-34cd56ef'"),
        ("!ou-ab12-34cd56ef", "no organizational unit '!ou-ab12-34cd56ef'"),
    ],
)
def test_a_unit_that_is_not_there(made, ou, says):
    with pytest.raises(NoAccountsError, match=says):
        made.find(ou=ou)
    assert "ListAccountsForParent" not in made.calls


def test_what_is_left_out_twice_or_by_a_glob_is_no_mistake(made):
    assert made.names(ou=["!/prod", "!/prod/old"]) == ["lab", "root-one"]
    assert made.names(ou=["/dev", "!/**/legacy"]) == ["lab"]


def test_a_slash_in_a_units_name_is_not_a_level(made):
    made.units["/R/D"] = made.client.create_organizational_unit(ParentId=made.root, Name="R/D")["OrganizationalUnit"][
        "Id"
    ]
    made.add("rnd", "/R/D", {})
    (found,) = made.find(ou="/R%2FD")
    assert (found.name, found.ou_path) == ("rnd", "/R%2FD")
    with pytest.raises(NoAccountsError):
        made.find(ou="/R/D")


# -- tags -------------------------------------------------------------------------------------------------------------


def test_tags_are_asked_for_only_where_they_decide(made):
    assert made.names(tags={"env": "prod"}) == ["db", "fax", "shop"]
    assert made.calls == {"ListAccounts": 1, "ListTagsForResource": 6}
    assert made.names(ou="/prod/web", tags={"env": ["prod", "dev"]}) == ["shop"]
    assert made.calls["ListTagsForResource"] == 2


def test_tags_on_request_and_for_a_template(made):
    assert {account.name: dict(account.tags) for account in made.find(include_tags=True)}["blog"] == {
        "env": "stage",
        "team": "web",
    }
    (shop, blog) = sorted(made.find(ou="/prod/web", role="{tags[env]}-audit"), key=lambda one: one.role)[::-1]
    assert (blog.role, shop.role) == ("prod-audit", "stage-audit")
    with pytest.raises(ConfigError, match="no tag 'team'"):
        made.find(role="{tags[team]}-audit")


def test_a_template_with_a_path_asks_for_paths(made):
    assert made.find(ou="/dev", external_id="org{ou_path}")[0].external_id == "org/dev"


# -- states and the management account --------------------------------------------------------------------------------


def test_suspended_accounts_are_left_out(made):
    made.client.close_account(AccountId=made.ids["fax"])
    assert "fax" not in made.names()
    assert made.names(status="SUSPENDED") == ["fax"]
    assert made.names(status=None) == ALL
    assert made.names(status=["ACTIVE", "SUSPENDED"]) == ALL
    with pytest.raises(NoAccountsError, match=r"1 account\(s\) where you asked; 1 of another status than ACTIVE"):
        made.find(ou="/prod/old")


def test_an_account_without_a_state_is_no_suspended_one(made):
    """AWS retires Status in favour of State, which an older botocore drops: then all accounts would be none."""

    def forget(parsed, **_):
        for account in parsed["Accounts"]:
            account.pop("State", None)
            account.pop("Status", None)

    made.session.events.register("after-call.organizations.ListAccounts", forget)
    with pytest.raises(OrganizationError, match="install a newer one, or pass status=None"):
        made.find()
    assert made.names(status=None) == ALL


def test_the_management_account_is_itself_without_a_role(made):
    (management,) = [one for one in made.find(include_management=True, external_id="{id}-x") if one.id == MANAGEMENT]
    assert (management.role, management.role_arns(), management.external_id) == (None, (), None)
    (management,) = [one for one in made.find(include_management=True, management_role="audit") if one.id == MANAGEMENT]
    assert management.role_arn() == f"arn:aws:iam::{MANAGEMENT}:role/audit"
    with pytest.raises(ConfigError, match="say include_management=True"):
        made.find(management_role="audit")


def test_an_organization_of_the_management_account_alone(embedded_aws):
    session = embedded_aws.session()
    session.client("organizations").create_organization(FeatureSet="ALL")
    with pytest.raises(NoAccountsError, match=r"the management account is left out \(include_management=True"):
        accounts.from_organization(session)
    assert len(accounts.from_organization(session, include_management=True)) == 1


def test_tags_that_nobody_has(made):
    with pytest.raises(NoAccountsError, match="6 without the tags asked for"):
        made.find(tags={"env": "qa"})


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_no_organization_is_told(embedded_aws):
    with pytest.raises(OrganizationError, match="ListRoots found no organization") as caught:
        accounts.from_organization(embedded_aws.session(), ou="/prod")
    assert isinstance(caught.value.__cause__, ClientError)
    none = {"__type": "AWSOrganizationsNotInUseException", "Message": "Your account is not a member"}
    session, _ = answering(embedded_aws, [response(400, none)])
    with pytest.raises(OrganizationError, match="ListAccounts found no organization"):
        accounts.from_organization(session)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("ListAccounts", {}),
        ("ListRoots", {"ou": "/"}),
        ("ListOrganizationalUnitsForParent", {"ou": "/prod"}),
        ("ListAccountsForParent", {"ou": "/prod"}),
        ("ListTagsForResource", {"include_tags": True}),
    ],
)
def test_a_denied_call_names_its_permission(made, operation, arguments):
    answer = {"Error": {"Code": "AccessDeniedException", "Message": "You don't have permissions"}}

    def deny(**_):
        raise ClientError(answer, operation)

    made.session.events.register(f"before-call.organizations.{operation}", deny)
    with pytest.raises(OrganizationError, match=f"organizations:{operation} was denied; .*delegated administrators"):
        made.find(**arguments)


def test_another_failure_of_aws_is_its_own(made):
    def fail(**_):
        raise ClientError({"Error": {"Code": "ServiceException", "Message": "try later"}}, "ListAccounts")

    made.session.events.register("before-call.organizations.ListAccounts", fail)
    with pytest.raises(ClientError, match="try later"):
        made.find()


def test_after_a_failure_the_rest_is_not_asked_for(made):
    for number in range(60):
        made.add(f"more-{number}", "/", {})

    def deny(**_):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListTagsForResource")

    made.session.events.register("before-call.organizations.ListTagsForResource", deny)
    with pytest.raises(OrganizationError):
        made.find(include_tags=True)
    assert made.calls["ListTagsForResource"] < 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "active"},
        {"status": []},
        {"tags": {}},
        {"tags": "env=prod"},
        {"ou": "prod"},
        {"ou": []},
        {"role": "{owner}"},
        {"external_id": "{name.upper}"},
    ],
)
def test_a_wrong_argument_costs_no_call(made, wrong):
    with pytest.raises(ConfigError):
        made.find(**wrong)
    assert not made.calls


# -- answers that moto does not give ----------------------------------------------------------------------------------


class Body:
    def __init__(self, answer):
        self._content = json.dumps(answer).encode()

    def stream(self, **_):
        yield self._content


def response(status, answer):
    return AWSResponse("http://x", status, {"Content-Type": "application/x-amz-json-1.1"}, Body(answer))


def account(number, partition="aws", management=MANAGEMENT, **more):
    arn = f"arn:{partition}:organizations::{management}:account/o-abcdefghij/{number:012}"
    return {"Id": f"{number:012}", "Arn": arn, "Name": f"n{number}", "Status": "ACTIVE", **more}


def answering(embedded_aws, answers, region="us-east-1", where=MANAGEMENT):
    session = embedded_aws.session(where, region)
    asked = []

    def answer(request, **_):
        asked.append(request)
        return answers.pop(0)

    session.events.register("before-send.organizations", answer)
    return session, asked


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_every_partition(embedded_aws, partition, region):
    listed = [account(1, partition), account(123456789012, partition)]
    session, _ = answering(embedded_aws, [response(200, {"Accounts": listed})], region)
    (found,) = accounts.from_organization(session)
    assert found.id == "000000000001"
    assert found.role_arn(partition).startswith(f"arn:{partition}:iam::000000000001:role/")


def test_a_throttled_call_is_made_again(embedded_aws, monkeypatch):
    slept = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", slept.append)
    throttled = {"__type": "TooManyRequestsException", "Message": "slow down"}
    answers = [response(400, throttled) for _ in range(6)] + [response(200, {"Accounts": [account(1)]})]
    session, asked = answering(embedded_aws, answers)
    assert len(accounts.from_organization(session)) == 1
    assert (len(asked), len(slept)) == (7, 6)


def test_an_empty_page_is_not_the_end(embedded_aws):
    answers = [
        response(200, {"Accounts": [], "NextToken": "more"}),
        response(200, {"Accounts": [account(1)], "NextToken": "more still"}),
        response(200, {"Accounts": []}),
    ]
    session, asked = answering(embedded_aws, answers)
    assert len(accounts.from_organization(session)) == 1
    assert len(asked) == 3


def test_a_delegated_administrator_finds_the_same(embedded_aws):
    # Another account asks; whose the organization is stands in the ARNs.
    listed = [account(1), account(123456789012), account(210987654321)]
    session, _ = answering(embedded_aws, [response(200, {"Accounts": listed})], where="210987654321")
    assert [one.id for one in accounts.from_organization(session)] == ["000000000001", "210987654321"]


@pytest.mark.parametrize(("state", "taken"), [("ACTIVE", True), ("SUSPENDED", False), ("PENDING_CLOSURE", False)])
def test_state_or_status_whichever_aws_tells(embedded_aws, state, taken):
    one = account(1) | {"Status": state}
    session, _ = answering(embedded_aws, [response(200, {"Accounts": [one, account(2)]})])
    assert [found.id for found in accounts.from_organization(session)] == (["000000000001"] * taken + ["000000000002"])
