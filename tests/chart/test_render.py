"""Everything that can be rendered is valid to Kubernetes and to the operators."""

import contextlib
import functools
import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import helm_python as helm
import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
import yaml

import chart

#: The oldest version that the chart supports, and the newest that there is a schema of.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
CLUSTER_WIDE = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
SCHEMAS = {
    path.stem: json.loads(path.read_text())
    for path in (chart.ROOT / "tests" / "chart" / "schemas").glob("*.json")
}
# Read once, and not for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)
CUSTOM = {kind: jsonschema.validators.validator_for(s)(s) for kind, s in SCHEMAS.items()}


@contextlib.contextmanager
def altered(old, new):
    """A copy of the chart with another Chart.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "frontdesk"
        shutil.copytree(chart.CHART, copy)
        meta = (copy / "Chart.yaml").read_text()
        assert old in meta, old
        (copy / "Chart.yaml").write_text(meta.replace(old, new, 1))
        yield copy


class Rendering(unittest.TestCase):
    def test_every_case_is_valid_to_kubernetes(self):
        valid = set()
        for name, values in chart.cases().items():
            for one in chart.objects(values):
                # Pods of different settings are one pod but for this.
                text = re.sub(r"\b[0-9a-f]{64}\b", "a checksum", json.dumps(one, sort_keys=True))
                if text in valid:
                    continue
                valid.add(text)
                with self.subTest(case=name, kind=one["kind"], name=one["metadata"]["name"]):
                    custom = CUSTOM.get(one["kind"].lower())
                    if custom:
                        custom.validate(one)
                        continue
                    for version in VERSIONS:
                        kubernetes_validate.validate(one, version, strict=True)

    def test_the_schemas_refuse_what_is_wrong(self):
        """Else the test above would pass whatever was rendered."""
        found = chart.objects(chart.example("production"))
        for kind in ["HTTPRoute", "PrometheusRule", "ServiceMonitor", "ScaledObject", "Certificate"]:
            one = chart.of(found, kind)[0]
            one["spec"]["surprise"] = True
            with self.subTest(kind=kind), self.assertRaises(jsonschema.ValidationError):
                jsonschema.validate(one, SCHEMAS[kind.lower()])
        deployment = chart.of(found, "Deployment", "-gateway")
        deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
        with self.assertRaises(Exception):
            kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)

    def test_every_kind_and_schema_is_met(self):
        """A template that no case renders is tested by nobody."""
        kinds = {one["kind"] for values in chart.cases().values() for one in chart.objects(values)}
        self.assertEqual({name for name in SCHEMAS if name not in {k.lower() for k in kinds}}, set())
        texts = {}
        for values in chart.cases().values():
            for path, text in chart.rendered(values).items():
                texts[path] = texts.get(path, "") + text
        empty = [path for path, text in texts.items() if not text.strip()]
        self.assertEqual(empty, [])

    def test_lint_is_silent_in_every_case(self):
        for name, values in chart.cases().items():
            with self.subTest(case=name):
                report = helm.lint(
                    str(chart.CHART), values, strict=True, namespace=chart.NAMESPACE,
                    kube_version="v1.30.0",
                )
                self.assertEqual(report["messages"], [])
                self.assertEqual(report["errors"], [])

    def test_names_are_short_and_nothing_is_there_twice(self):
        for name, values in chart.cases().items():
            with self.subTest(case=name):
                seen = set()
                for one in chart.objects(values, name="a-release-with.a-name-as-long-as-helm-lets-it-be"):
                    key = (one["apiVersion"], one["kind"], one["metadata"]["name"])
                    self.assertNotIn(key, seen)
                    seen.add(key)
                    names = key[2].split(".")
                    # Objects of the whole cluster have the namespace before a dot, which is
                    # in no other name: so those of two releases are never the same.
                    whole = key[1] in CLUSTER_WIDE
                    self.assertEqual(len(names), 2 if whole else 1, key[2])
                    self.assertTrue(not whole or names[0] == chart.NAMESPACE, key[2])
                    for part in names:
                        self.assertRegex(part, r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
                    for value in one["metadata"].get("labels", {}).values():
                        self.assertLessEqual(len(value), 63, value)

    def test_names_of_processes_are_what_the_binary_takes(self):
        """51 bytes of [a-z0-9-]: a Deployment's hash and suffix take 17 of them."""
        found = chart.objects(chart.least(), name="a-release-with.a-name-as-long-as-helm-lets-it-be")
        for role in chart.ROLES:
            base = chart.workloads(found)[role]["metadata"]["name"]
            pod = f"{base}-0" if role == "presence" else f"{base}-0123456789-abcde"
            self.assertRegex(pod, re.compile(r"^[a-z][a-z0-9-]{0,50}$"), pod)

    def test_the_chart_can_be_packaged_and_is_the_same_then(self):
        values = chart.example("production")
        with helm.Chart.load(helm.package(str(chart.CHART), destination="target")) as packed:
            again = packed.render(values, name="fd", namespace=chart.NAMESPACE)
        self.assertEqual(again, chart.rendered(values))

    def test_rendering_twice_is_rendering_once(self):
        """Nothing random, so that tools that compare see no change where there is none."""
        values = chart.example("small")
        again = chart.loaded().render(values, name="fd", namespace=chart.NAMESPACE)
        self.assertEqual(chart.rendered(values), again)

    def test_helm_would_install_it(self):
        """As `helm install --dry-run`: hooks are taken for hooks, the notes are printed."""
        for name in ["small", "production"]:
            values = chart.example(name)
            with helm.Config(namespace=chart.NAMESPACE, storage_driver="memory") as config:
                release = config.install(str(chart.CHART), "fd", values, dry_run="client")
            found = [one for one in yaml.safe_load_all(release["manifest"]) if one]
            hooks = [o for o in chart.objects(values) if "helm.sh/hook" in o["metadata"].get("annotations", {})]
            self.assertEqual(len(hooks), 3, "two for voters and the test")
            self.assertEqual(len(found), len(chart.objects(values)) - len(hooks))
            self.assertIn("/console/", release["notes"])

    def test_another_version_of_the_chart_alone_replaces_no_pod(self):
        """What it changes in the pods does; its number in their labels would each time."""
        version = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["version"]
        with altered(f"\nversion: {version}\n", "\nversion: 99.0.1\n") as copy, helm.Chart.load(str(copy)) as loaded:
            files = loaded.render(chart.example("production"), name="fd", namespace=chart.NAMESPACE)
        after = [o for path, text in files.items() if not path.endswith(".txt") for o in chart.parsed(text)]
        before = chart.objects(chart.example("production"))
        self.assertNotEqual(before, after)
        for role in chart.ROLES:
            self.assertEqual(*(chart.workloads(found)[role]["spec"] for found in (before, after)), role)

    def test_helm_refuses_an_older_kubernetes(self):
        """That the bound in Chart.yaml is one: with a higher one nothing is installed."""
        with altered(">=1.30.0-0", ">=1.99.0-0") as copy:
            with helm.Config(namespace=chart.NAMESPACE, storage_driver="memory") as config:
                with self.assertRaisesRegex(helm.HelmError, "1.99.0"):
                    config.install(str(copy), "fd", chart.example("small"), dry_run="client")
