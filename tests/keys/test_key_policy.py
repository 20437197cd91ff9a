from datetime import timedelta
from pathlib import Path

import pytest

from keys.errors import PolicyError
from keys.policy import POLICY_FILE, read_policy


def test_the_reviewed_policy_is_understood() -> None:
    policy = read_policy()
    assert policy.signing.algorithms == ("ES256", "RS256", "EdDSA")
    assert policy.signing.retiring_for >= timedelta(days=1)
    assert policy.signing.rotate_after > policy.signing.retiring_for


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param("[lookup]", "[look_up]", "does not know look_up", id="unknown purpose"),
        pytest.param("retiring_for_days", "retireing_for_days", "does not know", id="misspelt period"),
        pytest.param("retiring_for_days = 30", "", "lacks retiring_for_days", id="missing period"),
        pytest.param("= 30", "= 0", "whole number of days", id="no retention"),
        pytest.param("= 30", "= true", "whole number of days", id="boolean period"),
        pytest.param("= 30", '= "30"', "whole number of days", id="text period"),
        pytest.param('"RS256"', '"none"', "does not know", id="RFC 8725 §3.2 none is no algorithm"),
        pytest.param('"RS256"', '["RS256"]', "does not know", id="nested list"),
        pytest.param('"RS256"', '"ES256"', "twice", id="algorithm twice"),
        pytest.param('["ES256", "RS256", "EdDSA"]', "[]", "one or more", id="no algorithm"),
        pytest.param('"A256GCM"', '"A128GCM"', "implemented is 'A256GCM'", id="promise not kept"),
        pytest.param("[signing]", "[signing", "cannot be read as TOML", id="no TOML"),
        pytest.param("[pairwise]", "pairwise = 1\n[x]", "does not know", id="value for a purpose"),
    ],
)
def test_a_policy_that_is_not_understood_is_refused(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = POLICY_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "policy.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyError, match=complaint):
        read_policy(file)


def test_a_purpose_that_is_not_a_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("signing = 1\nencryption = 1\nlookup = 1\npairwise = 1\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="signing must be a table"):
        read_policy(file)
