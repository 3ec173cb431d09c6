"""What the documents and the notes tell people to type, taken at their word: Helm's commands
render, kubectl's name what the release has, and the binary knows its own."""

import os
import re
import shlex
import subprocess
import unittest

import helm_python as helm
import kubernetes_validate
import promql_parser
import yaml

import chart

BINARY = os.environ["FRONTDESK_BIN"]
DOCUMENTS = ["README.md", "RUNBOOK.md"]
#: The release that the documents speak of.
RELEASE = NAMESPACE = "frontdesk"
#: Options of Helm's that are printed, and whether a value follows.
OPTIONS = {
    "-n": True, "-f": True, "--set": True, "--timeout": True,
    "--logs": False, "--reset-then-reuse-values": False,
}


def printed():
    """Where, and which command: those in blocks of shell, one a line, and those in a text."""
    for name in DOCUMENTS:
        text = (chart.CHART / name).read_text()
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                yield name, line
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for code in re.findall(r"`((?:kubectl|helm|frontdesk) [^`]+)`", prose.replace("\n", " ")):
            yield name, code
    for path in chart.EXAMPLES.glob("*.yaml"):
        comments = "\n".join(l[2:] for l in path.read_text().splitlines() if l.startswith("#  "))
        for line in comments.replace("\\\n", " ").splitlines():
            yield path.name, line.strip()


def commands(program):
    """The arguments of each of a program's commands that is printed whole."""
    found = []
    for where, line in printed():
        words = shlex.split(line, comments=True)
        if len(words) > 2 and words[0] == program:
            found.append((where, words[1:]))
    return found


def release(**values):
    """The objects of a release as large as the documents speak of."""
    large = chart.merged(
        chart.example("small"), {"presence": {"replicas": 5}, "loadtest": {"enabled": True}}, values
    )
    return chart.loaded_objects(large, RELEASE, NAMESPACE)


def names(found):
    """What there is, as kubectl names it: `deployment/…`, and pods and claims of voters."""
    there = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in found}
    for one in chart.of(found, "StatefulSet"):
        for ordinal in range(one["spec"]["replicas"]):
            pod = f"{one['metadata']['name']}-{ordinal}"
            there.add(f"pod/{pod}")
            there |= {f"pvc/{c['metadata']['name']}-{pod}" for c in one["spec"]["volumeClaimTemplates"]}
    return there


def run(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30)


def typed(text):
    return yaml.safe_load(text) if re.fullmatch(r"\d+|true|false", text) else text


class Printed(unittest.TestCase):
    def test_there_is_something_to_follow(self):
        """Else what follows proves nothing."""
        self.assertGreater(len(commands("helm")), 6)
        self.assertGreater(len(commands("kubectl")), 12)
        self.assertGreater(len(commands("frontdesk")), 8)

    def test_helm_renders_what_it_is_asked_for(self):
        for where, words in commands("helm"):
            with self.subTest(document=where, command=" ".join(words)):
                rest, files, sets = [], [], []
                while words:
                    word, *words = words
                    if not word.startswith("-"):
                        rest.append(word)
                        continue
                    self.assertIn(word, OPTIONS)
                    if OPTIONS[word]:
                        value, *words = words
                        {"-f": files, "--set": sets}.get(word, []).append(value)
                if rest[0] in ("uninstall", "rollback", "test"):
                    self.assertEqual(rest[1:], [RELEASE][: len(rest) - 1])
                    continue
                if files and files[0] == "production.yaml":
                    files = [f"charts/frontdesk/examples/{f}" for f in files]
                    rest = ["install", RELEASE, "charts/frontdesk"]
                self.assertIn(rest[0], {"install", "upgrade"})
                self.assertEqual(rest[1:], [RELEASE, "charts/frontdesk"])
                values = {} if files else chart.example("small")
                values = chart.merged(values, *(yaml.safe_load((chart.ROOT / f).read_text()) for f in files))
                for assignment in sets:
                    path, value = assignment.split("=", 1)
                    nested = typed(value)
                    for key in reversed(path.split(".")):
                        nested = {key: nested}
                    values = chart.merged(values, nested)
                with helm.Config(namespace=NAMESPACE, storage_driver="memory") as config:
                    done = config.install(str(chart.CHART), RELEASE, values, dry_run="client")
                self.assertIn("kind: StatefulSet", done["manifest"])

    def test_options_in_a_text_are_values_that_render(self):
        for where in DOCUMENTS:
            text = (chart.CHART / where).read_text()
            for path, value in re.findall(r"`--set ([\w.]+)=(\w+)`", text):
                with self.subTest(document=where, path=path):
                    nested = typed(value)
                    for key in reversed(path.split(".")):
                        nested = {key: nested}
                    self.assertTrue(chart.rendered(chart.merged(chart.LEAST, nested)))

    def test_kubectl_names_what_there_is(self):
        found = release()
        for where, words in commands("kubectl"):
            with self.subTest(document=where, command=" ".join(words)):
                self.follow(words, found, NAMESPACE)

    def test_so_do_the_notes(self):
        for name, values in chart.cases().items():
            notes = chart.rendered(values)["frontdesk/templates/NOTES.txt"].replace("\\\n", " ")
            lines = [l for l in notes.splitlines() if l.strip().startswith("kubectl ")]
            self.assertGreaterEqual(len(lines), 3)
            for line in lines:
                with self.subTest(case=name, command=line):
                    self.follow(shlex.split(line)[1:], chart.objects(values), chart.NAMESPACE)

    def follow(self, words, found, namespace):
        """Whatever a command of kubectl's names is there."""
        if "--" in words:
            at = words.index("--")
            self.assertEqual(words[at + 1], "frontdesk")
            words = words[:at]
        if words[:2] == ["create", "namespace"]:
            self.assertEqual(words[2:], [namespace])
            return
        self.assertEqual(words[:2], ["-n", namespace])
        verb, *rest = words[2:]
        there = names(found)
        if verb == "create":
            self.secret(rest)
            return
        if "-l" in rest:
            self.selects_some_pod(rest[rest.index("-l") + 1], rest, found)
            return
        kinds = {"exec": "pod", "logs": "pod", "describe": None, "get": None, "rollout": None}
        targets = [w for w in rest if not w.startswith("-") and w not in ("status", "pod", "certificate")]
        targets = [re.sub("^deploy/", "deployment/", target) for target in targets]
        if verb in ("delete", "patch"):
            kind, *targets = rest
            kinds[verb] = kind
            targets = [t for t in targets if not t.startswith("-")]
            if verb == "patch":
                targets, [change] = targets[:1], targets[1:]
                self.assertIsInstance(yaml.safe_load(change), dict)
            self.assertTrue(targets)
        if verb == "port-forward":
            targets, kinds[verb] = targets[:1], None
        self.assertIn(verb, kinds)
        for target in targets:
            self.assertIn(target if "/" in target else f"{kinds[verb]}/{target}", there)

    def selects_some_pod(self, selector, rest, found):
        labels = dict(pair.split("=") for pair in selector.split(","))
        templates = [t for one in found if (t := chart.pod_template(one))]
        chosen = [t for t in templates if chart.selects({"matchLabels": labels}, chart.labels_of(t))]
        self.assertTrue(chosen, selector)
        if "-c" in rest:
            container = rest[rest.index("-c") + 1]
            for template in chosen:
                self.assertIn(container, {c["name"] for c in chart.containers(template)})

    def secret(self, rest):
        """A secret that is to be made is one that the values next to it, or none, ask for."""
        self.assertEqual(rest[:2], ["secret", "generic"])
        name, literal = rest[2], rest[3]
        key = re.match(r"--from-(?:literal|file)=([\w-]+)=", literal)[1]
        text = (chart.CHART / "README.md").read_text()
        text += "".join(p.read_text() for p in chart.EXAMPLES.glob("*.yaml"))
        self.assertRegex(text, rf"name: {re.escape(name)}\b")
        defaults = chart.loaded().values
        asked = [defaults[part] for part in ("tokenKeys", "oidc", "postgres", "redis")]
        asked.append(defaults["attachments"]["s3"])
        self.assertIn(key, [part["existingSecret"]["key"] for part in asked])

    def test_the_binary_knows_its_commands(self):
        told = [(where, words) for where, words in commands("frontdesk")]
        for where, words in commands("kubectl"):
            if "--" in words:
                told.append((where, words[words.index("--") + 2 :]))
        seen = set()
        for where, words in told:
            # As far as it is spelt out.
            spelt = []
            for word in words:
                if re.search(r"[<>…A-Z]", word):
                    break
                spelt.append(word)
            if tuple(spelt) in seen:
                continue
            seen.add(tuple(spelt))
            with self.subTest(document=where, command=" ".join(spelt)):
                done = run(*spelt, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(len(seen), 8)

    def test_examples_in_yaml_are_values_that_render(self):
        known = set(chart.loaded().values)
        rendered = 0
        for where in DOCUMENTS:
            for block in re.findall(r"^```yaml\n(.*?)^```", (chart.CHART / where).read_text(), re.M | re.S):
                example = yaml.safe_load(block)
                with self.subTest(document=where, block=block[:60]):
                    if set(example) == {"rules"}:
                        self.adapter(example)
                        continue
                    if "apiVersion" in example:
                        kubernetes_validate.validate(example, "1.30", strict=True)
                        continue
                    self.assertLessEqual(set(example), known)
                    self.assertTrue(chart.rendered(chart.merged(chart.LEAST, example)))
                    rendered += 1
        self.assertGreaterEqual(rendered, 3)

    def adapter(self, example):
        """The rule for prometheus-adapter makes the metric that the autoscaler asks for."""
        [rule] = example["rules"]
        series = promql_parser.parse(rule["seriesQuery"])
        scaler = chart.of(chart.objects(chart.cases()["hpa"]), "HorizontalPodAutoscaler")[0]
        self.assertEqual(series.name, scaler["spec"]["metrics"][0]["pods"]["metric"]["name"])
