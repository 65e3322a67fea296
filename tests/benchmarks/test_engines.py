"""Which engine wins is said from the times that were measured."""

from benchmarks.engines import fastest


def test_the_fastest_is_named_first():
    times = {"LiteRT": 0.1203, "ONNX Runtime": 1.8, "OpenVINO": 0.0902}
    assert fastest("int8", times) == (
        "int8: OpenVINO wins with 90.2 ms; LiteRT takes 1.33 times as long, ONNX Runtime takes"
        " 19.96 times as long"
    )
    assert fastest("int8", times | {"LiteRT": 0.05}).startswith("int8: LiteRT wins with 50 ms; ")


def test_without_a_peer_nobody_wins():
    assert fastest("float", {"LiteRT": 1.2344}) == "float: LiteRT alone was measured, 1234 ms"
