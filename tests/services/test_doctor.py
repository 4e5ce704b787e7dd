"""What the doctor looks at beyond what every installation needs."""

from pathlib import Path

import pytest

from services.doctor import CHECKS, checks_of
from services.lead_intake.settings import IntakeSettings
from services.router.settings import RouterSettings
from shared.errors import UserError


def settings(**values: object) -> IntakeSettings:
    return IntakeSettings.model_validate(values)


def router(**values: object) -> RouterSettings:
    return RouterSettings.model_validate(values)


def test_only_what_is_switched_on_is_checked(tmp_path: Path) -> None:
    assert list(checks_of(settings(postal_codes=""), router())) == list(CHECKS)
    codes = settings(postal_codes=tmp_path / "codes.csv")
    assert list(checks_of(codes, router())) == [*CHECKS, "postal codes"]
    engine = router(travel_url="http://127.0.0.1:5000")
    assert list(checks_of(settings(postal_codes=""), engine)) == [*CHECKS, "travel times"]


async def test_a_good_list_of_postal_codes_is_fine_and_a_bad_one_is_told(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    asked = settings(postal_codes=file)
    check = checks_of(asked, router())["postal codes"]

    file.write_text("postal_code,lat,lon,datum\n215000,31.3,120.58,gcj02\n")
    assert await check(asked) == []

    file.write_text("postal_code,lat,lon,datum\n215000,31.3,120.58,\n")
    with pytest.raises(UserError, match="row 2 datum"):
        await check(asked)
