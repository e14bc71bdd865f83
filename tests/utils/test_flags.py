"""Flags and flagfiles: includes, the home folder, earlier names of flags."""

import codecs
import dataclasses

import pytest
from absl import flags as absl_flags

from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError


@dataclasses.dataclass(frozen=True)
class Renamed:
    decay: float = flags.setting(0.5, "Decay.", low=0, formerly="old_decay")
    smooth: bool = flags.setting(False, "Smooth.", formerly="old_smooth")


def texts(argv):
    return [argument.text for argument in flags.expand(argv)]


def parse(*argv):
    values = absl_flags.FlagValues()
    flags.define(Renamed, flag_values=values)
    others = flags.parse(["train", *argv], values)
    return flags.collect(Renamed, values), others[1:]


def test_earlier_names_of_flags_still_work(monkeypatch, capsys):
    values = absl_flags.FlagValues()
    monkeypatch.setattr(absl_flags, "FLAGS", values)
    flags.define(Renamed, flag_values=values)
    values(["train", "--old_decay=0.75", "--old_smooth"])
    assert flags.collect(Renamed, values) == Renamed(0.75, True)
    assert capsys.readouterr().out.splitlines() == [
        "note: --old_decay is now called --decay",
        "note: --old_smooth is now called --smooth",
    ]
    assert flags.override(Renamed(0.25), values) == Renamed(0.75, True)


def test_files_with_earlier_names_are_read(tmp_path, capsys):
    path = tmp_path / "settings.flags"
    path.write_text("--old_decay=0.75\n--old_smooth=true\n")
    assert flags.read(path, Renamed) == [Renamed(0.75, True)]
    assert not capsys.readouterr().out  # there is nothing that the user should change
    path.write_text(flags.to_text(Renamed(0.125)))
    assert "old_" not in path.read_text() and flags.read(path, Renamed) == [Renamed(0.125)]
    path.write_text("--old_decay=-1\n")
    with pytest.raises(UserError, match="decay=-1"):
        flags.read(path, Renamed)


def test_a_flagfile_names_others_beside_it_and_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "outer.flags").write_text(
        "--flagfile=beside.flags\n--flagfile=current.flags\n--steps=4\n"
    )
    (tmp_path / "sub" / "beside.flags").write_text("# a comment\n\n--steps=2\n  --size=3  \n")
    (tmp_path / "current.flags").write_text("--views=5\n")
    expanded = texts(["train", "--flagfile", "sub/outer.flags", "--seed=1"])
    assert expanded == ["train", "--steps=2", "--size=3", "--views=5", "--steps=4", "--seed=1"]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_flagfiles_are_read_as_windows_writes_them(tmp_path, mark, encoding):
    path = tmp_path / "windows.flags"
    path.write_bytes(mark + "--steps=2\r\n--data_dir=données\r\n".encode(encoding))
    assert texts([f"--flagfile={path}"]) == ["--steps=2", "--data_dir=données"]


def test_flagfiles_of_the_package_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("semi.flags", "ptn_semi/configs/semi.flags"):
        assert "--refine" in texts([f"--flagfile={name}"])
    (tmp_path / "semi.flags").write_text("--steps=2\n")
    assert texts(["--flagfile=semi.flags"]) == ["--steps=2"]


def test_what_follows_two_dashes_is_left_alone():
    assert texts(["a", "--", "--flagfile=b"]) == ["a", "--", "--flagfile=b"]


def test_the_home_is_found_in_values_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.flags").write_text("--data_dir=~/data\n")
    arguments = ["~/a.png", "--output_dir=~/out", "--flagfile=~/my.flags"]
    expected = ["~/a.png", f"--output_dir={tmp_path}/out", f"--data_dir={tmp_path}/data"]
    assert texts(arguments) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"their\.flags cannot be read \(No such file"),
        (b"--data_dir=donn\xe9es", r"their\.flags is not a text file in UTF-8"),
        (codecs.BOM_UTF16_LE + b"-", r"their\.flags is not a text file"),
        (b"--flagfile=their.flags", r"their\.flags names itself"),
        (b"--flagfile", "needs a file"),
    ],
)
def test_flagfiles_that_cannot_be_used(tmp_path, content, said):
    path = tmp_path / "their.flags"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        flags.expand([f"--flagfile={path}"])


def test_flags_and_other_arguments_stand_in_any_order():
    smooth = Renamed(0.25, True)
    assert parse("a.png", "--decay", "0.25", "--smooth", "b.png") == (smooth, ["a.png", "b.png"])
    assert parse("--decay=0.25", "--smooth=TRUE", "--", "--c.png") == (smooth, ["--c.png"])
    assert parse("--smooth", "1.png") == (Renamed(smooth=True), ["1.png"])


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (["--smooth", "False"], "write --nosmooth or --smooth=false"),
        (["-smooth", "no", "a.png"], "write --nosmooth or --smooth=false"),
        (["--smooth", "0"], "write --nosmooth or --smooth=false"),
        (["--smooth", "TRUE"], "write --smooth or --smooth=true"),
        (["--nosmooth", "yes"], "write --smooth or --nosmooth"),
        (["--old_smooth", "1"], "write --old_smooth or --old_smooth=true"),
    ],
)
def test_a_flag_that_is_on_or_off_takes_no_separate_value(arguments, fix):
    with pytest.raises(UserError, match=f"^{arguments[0]} takes no separate value .*: {fix}$"):
        parse(*arguments)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--gone=3", "Unknown command line flag 'gone'"),
        ("--decay=-1", "flag --decay=-1: "),
        ("--smooth=maybe", "flag --smooth=maybe: "),
        ("decay=1", "has the line 'decay=1', which is not a flag"),
    ],
)
def test_a_bad_line_of_a_flagfile_is_reported_with_the_file(tmp_path, line, said):
    path = tmp_path / "old.flags"
    path.write_text(f"--nosmooth\n{line}\n")
    with pytest.raises(UserError, match=rf"^--flagfile={path} .*{said}"):
        parse("--decay=0.5", f"--flagfile={path}", "a.png")
    with pytest.raises(UserError, match=rf"^--flagfile={path} .*{said}"):
        flags.read(path, Renamed)


def test_a_bad_flag_of_the_command_is_reported_without_a_file():
    for argument in ("--gone=3", "--decay=-1", "--nosmooth=false"):
        with pytest.raises(UserError, match=r"^(?!--flagfile)"):
            parse(argument, "a.png")
