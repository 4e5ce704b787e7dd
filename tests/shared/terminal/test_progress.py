import pytest

from shared.terminal.output import progress


@pytest.fixture
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error as if a person looked at it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def work(*, quiet: bool) -> None:
    """Two of four."""
    with progress("deciding twice", quiet=quiet) as advance:
        advance(0, 4)
        advance(2, 4)


@pytest.mark.usefixtures("_watched")
def test_a_person_sees_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    work(quiet=False)
    seen = capsys.readouterr()
    assert "deciding twice" in seen.err
    assert "2/4" in seen.err
    assert not seen.out


@pytest.mark.usefixtures("_watched")
def test_a_machine_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    work(quiet=True)
    assert not capsys.readouterr().err


def test_a_pipe_sees_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    work(quiet=False)
    assert not capsys.readouterr().err
