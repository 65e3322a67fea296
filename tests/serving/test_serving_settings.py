"""The settings for TensorFlow Serving: the compose file, and three files of protocol buffers."""

import pathlib
import re

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

import export.serving

FOLDER = pathlib.Path(export.serving.__file__).parent
FIELD = descriptor_pb2.FieldDescriptorProto
# The package tensorflow-serving-api has model_server_config.proto, but neither
# monitoring_config.proto nor session_bundle_config.proto. These are their messages, by the names
# and types of the fields, which is all that the text form knows. A field that TensorFlow Serving
# does not know, or of another type, is an error here as it is there.
MESSAGES = {
    "PrometheusConfig": {"enable": FIELD.TYPE_BOOL, "path": FIELD.TYPE_STRING},
    "MonitoringConfig": {"prometheus_config": ".settings.PrometheusConfig"},
    "BatchingParameters": {
        **dict.fromkeys(
            (
                "max_batch_size",
                "batch_timeout_micros",
                "max_enqueued_batches",
                "num_batch_threads",
                "max_execution_batch_size",
            ),
            ".google.protobuf.Int64Value",
        ),
        "thread_pool_name": ".google.protobuf.StringValue",
        "enable_large_batch_splitting": ".google.protobuf.BoolValue",
        "pad_variable_length_inputs": FIELD.TYPE_BOOL,
    },
}


def message(name):
    """An empty message of the kind ``name``."""
    file = descriptor_pb2.FileDescriptorProto(
        name="settings.proto", package="settings", syntax="proto3"
    )
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for kind, fields in MESSAGES.items():
        described = file.message_type.add(name=kind)
        for number, (field, type_) in enumerate(fields.items(), 1):
            added = described.field.add(name=field, number=number, label=FIELD.LABEL_OPTIONAL)
            if isinstance(type_, str):
                added.type, added.type_name = FIELD.TYPE_MESSAGE, type_
            else:
                added.type = type_
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    described = pool.FindMessageTypeByName(f"settings.{name}")
    if not hasattr(message_factory, "GetMessageClass"):  # protobuf before 4.22
        return message_factory.MessageFactory(pool).GetPrototype(described)()
    return message_factory.GetMessageClass(described)()


def parsed(file, into):
    return text_format.Parse((FOLDER / file).read_text(), into)


@pytest.fixture
def service():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["serving"]


def test_models(service):
    pytest.importorskip("tensorflow_serving", reason="the extra 'serving' is not installed")
    from tensorflow_serving.config import model_server_config_pb2

    from rts_tf.export import saved_model  # noqa: F401  the name stands in its warm-up requests

    (model,) = parsed(
        "models.config", model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert (model.name, model.model_platform) == ("rts", "tensorflow")
    (exported,) = (volume for volume in service["volumes"] if isinstance(volume, dict))
    assert (
        model.base_path == f"{exported['target']}/rts"
    )  # DIR/saved_model/rts/1 is what the export writes
    assert exported["source"].endswith("}/saved_model") and exported["read_only"]


def test_batching():
    """No request shares its run with another's or meets it, and the queue is bounded."""
    batching = parsed("batching.config", message("BatchingParameters"))
    assert (
        batching.enable_large_batch_splitting.value and batching.max_execution_batch_size.value == 1
    )
    assert batching.num_batch_threads.value == 1  # two runs at once go wrong with oneDNN
    assert (
        batching.max_enqueued_batches.value >= batching.max_batch_size.value
    )  # or a full request never fits
    assert not batching.pad_variable_length_inputs
    with pytest.raises(text_format.ParseError, match="no_such_field"):
        text_format.Parse("no_such_field { value: 1 }", batching)


def test_monitoring():
    monitoring = parsed("monitoring.config", message("MonitoringConfig"))
    assert monitoring.prometheus_config.enable and monitoring.prometheus_config.path.startswith("/")


def test_the_server_has_no_rights(service):
    user, _, group = str(service["user"]).partition(":")
    assert int(user) > 0 and int(group) > 0
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"] and service["pids_limit"] > 0
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    for volume in service["volumes"]:
        is_read_only = volume.endswith(":ro") if isinstance(volume, str) else volume["read_only"]
        assert is_read_only, volume
    (scratch,) = service["tmpfs"]
    assert scratch.startswith("/tmp:") and {"noexec", "nosuid", "nodev"} <= set(
        scratch.partition(":")[2].split(",")
    )


def test_compose(service):
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", service["image"])
    assert sorted(service["ports"]) == [
        "127.0.0.1:8500:8500",
        "127.0.0.1:8501:8501",
    ]  # this machine alone
    mounted = dict(
        volume.removesuffix(":ro").split(":")
        for volume in service["volumes"]
        if isinstance(volume, str)
    )
    given = dict(argument.removeprefix("--").split("=") for argument in service["command"])
    files = {name: value for name, value in given.items() if name.endswith("_file")}
    assert set(files) == {"model_config_file", "batching_parameters_file", "monitoring_config_file"}
    assert {
        target: (FOLDER / source).exists() for source, target in mounted.items()
    } == dict.fromkeys(files.values(), True)
    assert (
        given["enable_batching"] == "true" and int(given["rest_api_timeout_in_ms"]) >= 60000
    )  # the client's deadline
