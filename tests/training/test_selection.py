from rts_tf.training.selection import select, turned_upward


def stages(*changes: float, mos: tuple[float, ...] = ()) -> list[dict]:
    rows = [{"stage": i, "step_difference_percent": change} for i, change in enumerate(changes, 1)]
    return [row | {"mos_raw": value} for row, value in zip(rows, mos, strict=True)] if mos else rows


def test_the_run_stops_when_the_change_turns_upward():
    assert not turned_upward(stages(0.9))
    assert not turned_upward(stages(0.9, 0.4, 0.1))
    assert turned_upward(stages(0.9, 0.4, 0.1, 0.2))


def test_the_stage_that_changes_least_is_selected():
    stage, because = select(stages(0.9, 0.4, 0.1, 0.2), by_mos=False)
    assert stage == 3 and "0.100 %" in because


def test_the_stage_with_the_best_mos_is_selected_where_it_is_measured():
    stage, because = select(stages(0.9, 0.4, 0.1, mos=(3.4, 3.6, 3.5)), by_mos=True)
    assert stage == 2 and "3.600" in because


def test_a_stage_that_harms_compressed_images_is_not_selected_for_its_mos():
    history = stages(0.9, 0.4, 0.1, mos=(3.4, 3.6, 3.5))
    for row, gain in zip(history, (0.2, -0.1, 0.05), strict=True):
        row["coded_psnr_gain_db"] = gain
    stage, because = select(history, by_mos=True)
    assert stage == 3 and "among the stages that do not harm" in because
    assert select(history, by_mos=False)[0] == 3


def test_where_every_stage_harms_mos_decides_and_the_reason_says_so():
    history = stages(0.9, 0.4, mos=(3.4, 3.6))
    for row in history:
        row["coded_psnr_gain_db"] = -0.1
    stage, because = select(history, by_mos=True)
    assert stage == 2 and "every stage harms compressed images" in because
