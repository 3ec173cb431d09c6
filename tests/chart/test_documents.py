"""What is written about the chart is true."""

import re
import tomllib
import unittest

import yaml

import chart
import table


class Documents(unittest.TestCase):
    def test_the_table_of_values_is_the_values(self):
        rows, missing = table.rows()
        self.assertEqual(missing, [], "values without a comment")
        self.assertGreater(len(rows), 100)
        self.assertEqual(table.parts()[1], table.markdown(), "run tests/chart/run.sh --fix")

    def test_the_schema_knows_every_value_and_no_other(self):
        def paths(values, schema, path=""):
            for key, value in values.items():
                known = schema["properties"].get(key)
                self.assertIsNotNone(known, f"{path}{key} is not in the schema")
                known = self.resolved(known)
                if isinstance(value, dict) and "properties" in known and value:
                    paths(value, known, f"{path}{key}.")

        def others(schema, values, path=""):
            for key, known in schema["properties"].items():
                if path + key in ("global",) or path.startswith("settings."):
                    continue
                self.assertIn(key, values, f"{path}{key} is not in values.yaml")
                known = self.resolved(known)
                if "properties" in known and isinstance(values[key], dict) and values[key]:
                    if "$ref" not in schema["properties"][key]:
                        others(known, values[key], f"{path}{key}.")

        values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
        schema = chart.loaded().schema
        paths(values, schema)
        others(schema, values)

    def resolved(self, schema):
        if "$ref" in schema:
            return chart.loaded().schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def test_every_object_in_the_schema_is_closed(self):
        """A misspelt value is refused, however deep."""
        open_ones = {"global", "nodeAffinity", "podAffinity", "podAntiAffinity", "items"}

        def walk(schema, path):
            if isinstance(schema, dict):
                if schema.get("type") == "object" and "additionalProperties" not in schema:
                    self.assertIn(path[-1], open_ones, ".".join(path))
                for key, value in schema.items():
                    walk(value, [*path, key])
            elif isinstance(schema, list):
                for value in schema:
                    walk(value, path)

        walk(chart.loaded().schema, ["values"])

    def test_versions_agree(self):
        meta = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
        cargo = tomllib.loads((chart.ROOT / "Cargo.toml").read_text())
        self.assertEqual(meta["appVersion"], cargo["workspace"]["package"]["version"])
        self.assertEqual(meta["kubeVersion"], ">=1.30.0-0")
        readme = (chart.CHART / "README.md").read_text()
        self.assertIn(f"### {meta['version']}", readme, "no notes for this version's upgrade")

    def test_the_images_that_are_declared_are_those_that_run(self):
        meta = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
        declared = {i["image"] for i in yaml.safe_load(meta["annotations"]["artifacthub.io/images"])}
        found = chart.objects(chart.example("small"))
        templates = [t for one in found if (t := chart.pod_template(one))]
        self.assertEqual({c["image"] for t in templates for c in chart.containers(t)}, declared)
        changes = yaml.safe_load(meta["annotations"]["artifacthub.io/changes"])
        self.assertLessEqual({c["kind"] for c in changes}, {"added", "changed", "fixed", "removed", "deprecated", "security"})

    def test_every_value_that_is_named_exists(self):
        """In the README's text and the comments of the examples."""
        values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
        schema = chart.loaded().schema
        text = (chart.CHART / "README.md").read_text()
        named = set(re.findall(r"`((?:%s)\.[\w.]+)[`=:]" % "|".join(values), text))
        named |= set(re.findall(r"--set ((?:%s)\.[\w.]+)=" % "|".join(values), text))
        self.assertGreater(len(named), 20)
        for path in named:
            known = schema
            for key in path.split("."):
                known = self.resolved(known.get("properties", {}).get(key, {}))
                self.assertTrue(known, f"the README names {path}")

    def test_the_notes_tell_how_to_get_in(self):
        for name, values in chart.cases().items():
            with self.subTest(case=name):
                notes = chart.rendered(values)["frontdesk/templates/NOTES.txt"]
                self.assertIn("/console/", notes)
                self.assertIn("frontdesk cluster demo --origin http", notes)
                for deployment in re.findall(r"deployment/(\S+)", notes):
                    names = [o["metadata"]["name"] for o in chart.of(chart.objects(values), "Deployment")]
                    self.assertIn(deployment, names)
                has_test = bool(chart.of(chart.objects(values), "Pod"))
                self.assertEqual("helm -n chat test" in notes, has_test)
        fewer = chart.rendered(chart.cases()["one voter left of three"])["frontdesk/templates/NOTES.txt"]
        self.assertIn("WARNING: presence.initialVoters is 3 and presence.replicas 1", fewer)
        enough = chart.rendered(chart.least())["frontdesk/templates/NOTES.txt"]
        self.assertNotIn("WARNING", enough)
        self.assertNotIn("NOTE", enough)
        alone = chart.rendered(chart.cases()["nothing for the whole cluster"])["frontdesk/templates/NOTES.txt"]
        self.assertIn("NOTE: presence.voterHooks is off", alone)
        warned = chart.rendered(chart.cases()["no certificates"])["frontdesk/templates/NOTES.txt"]
        self.assertIn("WARNING: internalTls.mode is none", warned)
        self.assertIn("https://chat.example.com/console/", chart.rendered(chart.example("production"))["frontdesk/templates/NOTES.txt"])

    def test_the_dockerfile_is_what_the_chart_counts_on(self):
        text = (chart.ROOT / "Dockerfile").read_text()
        final = text[text.rindex("\nFROM ") :]
        self.assertIn("\nUSER 65532:65532\n", final)
        self.assertIn('\nENTRYPOINT ["frontdesk"]', final)
        self.assertIn("loadtest/scenarios /usr/share/frontdesk/scenarios", final)
        self.assertIn("ENV PATH=/usr/local/bin ", final)
        for template in filter(None, map(chart.pod_template, chart.objects(chart.least()))):
            self.assertEqual(template["spec"]["securityContext"]["runAsUser"], 65532)
