"""Whatever happens to STS and to time: nobody gets credentials that have ended, and a failing STS is left in peace."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mangrove.credentials.documents import Issued
from mangrove.credentials.refresh import Refresher
from mangrove.errors import AssumeRoleError


class RefresherMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now, self.failing, self.busy, self.lifetime, self.skew = 1e6, False, False, 900.0, 0.0
        self.failures, self.calls, self.renewed = [], 0, 0.0
        self.refresher = Refresher("role", self.fetch, self)

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def fetch(self, *, wait, rejected, anew):
        self.calls += 1
        if self.busy and not wait:
            return None
        if self.failing:
            self.failures.append(self.now)
            raise AssumeRoleError("no")
        by_aws = self.now + self.skew
        return Issued(f"AKIA{self.calls}", "s", "t", by_aws + self.lifetime, by_aws, self.skew)

    @rule(seconds=st.floats(0, 0.5) | st.floats(0, 1000))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(failing=st.booleans(), busy=st.booleans())
    def sts_changes(self, failing, busy):
        self.failing, self.busy = failing, busy

    @rule(lifetime=st.sampled_from([900.0, 3600.0, 43200.0]), skew=st.floats(-3000, 3000))
    def the_next_ones_are_others(self, lifetime, skew):
        self.lifetime, self.skew = lifetime, skew

    @rule(times=st.integers(1, 5))
    def somebody_asks(self, times):
        for _ in range(times):
            before, fresh = self.calls, self.refresher.is_fresh()
            try:
                found = self.refresher.get()
            except AssumeRoleError:
                assert self.failures
                assert self.refresher.ends_within(0.0) or self.refresher.peek() is None
            else:
                assert found.local_expiry > self.now
            assert self.calls - before <= (0 if fresh else 1)

    @rule()
    def a_service_says_expired(self):
        held = self.refresher.peek()
        if held is None:
            return
        if self.refresher.renew(self.refresher.generation):
            assert self.refresher.peek() is not held
            self.renewed = self.now
        else:
            assert self.failures or self.now - self.renewed < 1.0

    @invariant()
    def failures_are_a_second_apart(self):
        assert all(after - before >= 1.0 for before, after in zip(self.failures, self.failures[1:], strict=False))


TestRefresher = RefresherMachine.TestCase
TestRefresher.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
