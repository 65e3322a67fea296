"""The committed results are what today's code writes from their records."""

import json
import pathlib

import pytest

from experiments import (
    ablation_page,
    alpha,
    cluster_sizes,
    coded_page,
    enlarging,
    figure5,
    fine_tuning,
    kernels_page,
    realtime,
    sr_benchmark,
    table1,
    table2,
    table3_page,
)
from experiments.results import bullets, save, table

RESULTS = pathlib.Path(alpha.__file__).parent / "results"
PAGES = {
    "ablation": ablation_page.page,
    "alpha": alpha.markdown,
    "cluster_sizes": cluster_sizes.markdown,
    "coded": coded_page.markdown,
    "enlarging": enlarging.markdown,
    "figure5": lambda record: figure5.markdown(record, ["1", "2"]),
    "fine_tuning": fine_tuning.markdown,
    "kernels": kernels_page.page,
    "realtime": realtime.markdown,
    "sr_benchmark": sr_benchmark.markdown,
    "table1": table1.markdown,
    "table2": table2.markdown,
    "table3": table3_page.page,
}


def test_every_record_has_a_page():
    assert set(PAGES) == {path.stem for path in RESULTS.glob("*.json")}


@pytest.mark.parametrize("name", PAGES)
def test_committed_pages_follow_from_their_records(name):
    record = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    assert PAGES[name](record) == (RESULTS / f"{name}.md").read_text(encoding="utf-8")


def test_findings_follow_from_their_record():
    record = json.loads((RESULTS / "table3.json").read_text(encoding="utf-8"))
    assert table3_page.findings(record["networks"]) == record["findings"]


def test_results_are_written_side_by_side(tmp_path, capsys):
    text = table(["", "MOS"], [["HR1", "3.1"]]) + bullets(["one", "two"])
    assert text == "|  | MOS |\n| --- | ---: |\n| HR1 | 3.1 |\n- one\n- two"
    save(tmp_path / "new" / "folder", "alpha", {"seconds": 1}, text)
    written = {path.name: path.read_text() for path in (tmp_path / "new" / "folder").iterdir()}
    assert written == {"alpha.json": '{\n "seconds": 1\n}\n', "alpha.md": text}
    assert text in capsys.readouterr().out
