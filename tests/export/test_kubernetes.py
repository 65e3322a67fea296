"""The manifests of export/kubernetes: valid by the schemas, and what they run does what it says."""

import json
import os
import shlex
import subprocess

import kubernetes_validate
import pytest
import yaml

from rts_tf.workers import Task, task_of
from tests.support.paths import ROOT

MANIFESTS = sorted((ROOT / "export" / "kubernetes").glob("*.yaml"))
VERSION = "1.31"


def documents(path):
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def containers(document):
    return document.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_valid(path):
    for document in documents(path):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_manifest_that_is_not_valid():
    job = documents(MANIFESTS[-1])[-1]
    job["spec"]["completionsMode"] = job["spec"].pop("completionMode")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSION, strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_what_is_ours_runs_without_privileges(path):
    ours = [
        container
        for document in documents(path)
        for container in containers(document)
        if container["image"].startswith("rts_tf")
    ]
    assert ours
    for container in ours:
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False


def test_each_pod_is_the_worker_of_its_index(tmp_path):
    service, job = documents(ROOT / "export" / "kubernetes" / "train.yaml")
    (container,) = containers(job)
    rts = tmp_path / "rts"  # in the place of the command, which prints what it was given
    rts.write_text('#!/bin/sh\nprintf "%s\\n" "$TF_CONFIG" "$*"\n')
    rts.chmod(0o755)
    environment = {one["name"]: one["value"] for one in container["env"]}
    count = job["spec"]["completions"]
    assert job["spec"]["parallelism"] == count == int(environment["WORKERS"])
    name, subdomain = job["metadata"]["name"], job["spec"]["template"]["spec"]["subdomain"]
    assert subdomain == service["metadata"]["name"] and service["spec"]["clusterIP"] == "None"
    port = service["spec"]["ports"][0]["port"]
    hosts = tuple(f"{name}-{index}.{subdomain}:{port}" for index in range(count))
    for index in range(count):
        path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": str(index)}
        command = [*container["command"], *container["args"]]
        ran = subprocess.run(
            command, env={**environment, **path}, capture_output=True, text=True, check=True
        )
        config, arguments = ran.stdout.splitlines()
        assert task_of({"TF_CONFIG": config}) == Task(index, hosts)
        assert "--workdir=/shared/run" in shlex.split(arguments)
        assert json.loads(config)["task"]["type"] == "worker"
