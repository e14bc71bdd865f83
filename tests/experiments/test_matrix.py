"""The trainings of each of the paper's experiments."""

import dataclasses

import pytest

from ptn_semi.experiments import jobs, matrix
from ptn_semi.settings import DataSettings
from ptn_semi.utils.errors import UserError
from support.experiment_entries import DATA, PAPER, entries


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    """Digests for categories that no procedural shapes are of."""
    monkeypatch.setattr(jobs, "_data_set_name", lambda data: ",".join(data.categories))


COUNTS = {"table1": 3, "figure4": 1 + 2 * 4, "table2": 2 * 3, "figure5": 3 * 3 * 4, "table3": 5}


@pytest.mark.parametrize(("experiment", "count"), COUNTS.items())
def test_matrices_have_the_papers_rows(experiment, count):
    assert len(entries(experiment)) == 2 * count
    assert {entry.seed for entry in entries(experiment)} == {0, 1}
    assert all(entry.training.train.seed == entry.seed for entry in entries(experiment))


def test_runs_are_shared():
    planned = jobs.plan(entries(*matrix.EXPERIMENTS, seeds=1), "w")
    # Airplane, car; chair U, P and P+U at 4 shares; 3 categories; 7 at 4 shares; 3 novel ones from
    # scratch and fine-tuned 4 times; the chair fine-tuned.
    assert len(planned) == 2 + 9 + 1 + 4 + 3 + 3 * 4 + 1
    assert len({job.folder for job in planned.values()}) == len(planned)
    order = list(planned.values())
    for job in order:
        assert job.start is None or order.index(job.start) < order.index(job)
    pretrained = next(job for job in order if job.training.title.startswith("7 categories P+U 1 %"))
    assert pretrained.categories == ("bench", "cabinet", "chair", "vessel")


def test_settings_of_table_3():
    by_model = {entry.model: entry for entry in entries("table3", recipe="semi")}
    train = {model: entry.training.train for model, entry in by_model.items()}
    assert train["S,P"].supervision == "labeled" and train["S,P"].pose_fraction == 0.01
    assert train["S,U"].supervision == "unlabeled" and train["S,U"].adversarial_weight
    assert train["S,P+U"].supervision == "both" and not train["S,P+U"].adversarial_weight
    assert by_model["M"].training.data.categories == tuple(sorted(matrix.PRETRAINING))
    assert train["FT,P"].freeze_encoder and train["FT,P"].supervision == "labeled"
    assert not train["FT,P+U"].freeze_encoder and train["FT,P+U"].supervision == "both"
    for model in ("FT,P", "FT,P+U"):
        assert by_model[model].training.start == by_model["M"].training
        assert by_model[model].training.data.categories == ("chair",)
    without_labels = train["S,U+procedural"]
    assert without_labels.procedural_shapes and not without_labels.knows_viewpoints
    assert not by_model["S,U+procedural"].training.needs_turn


def test_recipes_are_the_flagfiles():
    paper, semi = (entries("table1", recipe=name)[0].training.train for name in ("paper", "semi"))
    assert paper.preset == "paper" and paper.generator_learning_rate == 1e-4
    assert paper.occupancy_weight == 0 and semi.occupancy_weight == 30


def test_missing_categories_are_named_and_left_out():
    data = DataSettings(categories=("chair", "table", "cabinet"))
    wanted = matrix.Matrix(data, data.categories, PAPER, "paper", 1)
    missing = {"airplane", "bench", "car", "display", "loudspeaker", "telephone", "vessel"}
    assert set(wanted.missing) == missing
    assert {entry.category for entry in wanted.entries(matrix.EXPERIMENTS)} == {"chair", "cabinet"}
    with pytest.raises(UserError, match="table2"):
        wanted.entries(["table2"])  # one category alone has nothing to be compared with


def test_each_category_has_equally_many_procedural_shapes():
    data = dataclasses.replace(DATA, num_shapes=10)
    run = entries("table2", data=data, seeds=1)[1].training
    assert run.data.categories == matrix.SINGLE and run.data.num_shapes == 30
    assert run.data_of("car").num_shapes == 10


def test_other_settings_have_other_folders():
    shorter = dataclasses.replace(PAPER, single_steps=7)
    first, again, other = (
        {job.folder for job in jobs.plan(entries("table1", scale=scale), "w").values()}
        for scale in (PAPER, PAPER, shorter)
    )
    assert first == again and not first & other
