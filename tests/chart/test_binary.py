"""What is rendered, given to the real binary: settings files, variables, arguments."""

import json
import os
import re
import subprocess
import tomllib
import unittest

import chart

BINARY = os.environ["FRONTDESK_BIN"]
LOADTEST = os.environ["LOADTEST_BIN"]
#: What the secrets hold.
VARIABLES = {
    "FRONTDESK_POSTGRES__URL": "postgresql://chat:12345@db-1,db-2/chat",
    "FRONTDESK_REDIS__ADDRESS": "redis+sentinel://s-1,s-2/chat",
}
#: What Kubernetes would add if enableServiceLinks were on.
SERVICE_LINK = {"FRONTDESK_GATEWAY_PORT": "tcp://10.0.0.1:80"}


def run(binary, *arguments, **variables):
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [binary, *arguments], env=environment, capture_output=True, text=True, timeout=30
    )


def effective(text, **variables):
    """The settings as the binary has understood them."""
    file = chart.temporary(text, ".toml")
    try:
        done = run(BINARY, "config", FRONTDESK_CONFIG=str(file), **VARIABLES, **variables)
    finally:
        file.unlink()
    assert done.returncode == 0, done.stderr
    return tomllib.loads(done.stdout)


def differences(wanted, had, path=""):
    """Where the binary has something else than the file says."""
    if isinstance(wanted, dict):
        return [d for key, value in wanted.items() for d in differences(value, (had or {}).get(key), f"{path}.{key}")]
    return [] if wanted == had else [f"{path}: {wanted!r} became {had!r}"]


class Binary(unittest.TestCase):
    def test_it_loads_every_settings_file_as_it_was_meant(self):
        for name, values in chart.cases().items():
            with self.subTest(case=name):
                text = chart.settings_text(chart.objects(values))
                self.assertEqual(differences(tomllib.loads(text), effective(text)), [])

    def test_it_would_refuse_a_setting_that_it_does_not_know(self):
        text = chart.settings_text(chart.objects(chart.least()))
        with self.assertRaisesRegex(AssertionError, "listen_on"):
            effective(text.replace("[gateway]", '[gateway]\nlisten_on = "x"'))

    def test_it_would_not_start_with_service_links(self):
        """Why enableServiceLinks is off."""
        text = chart.settings_text(chart.objects(chart.least()))
        with self.assertRaisesRegex(AssertionError, "(?i)gateway_port"):
            effective(text, **SERVICE_LINK)

    def test_secrets_arrive_and_are_not_printed(self):
        had = effective(chart.settings_text(chart.objects(chart.least())))
        self.assertEqual(had["postgres"]["url"], "(hidden)")
        self.assertIn("s-1", had["redis"]["address"])

    def test_all_its_settings_can_be_set_or_are_decided_by_the_chart(self):
        """A new setting of the binary belongs into values.schema.json, and the cases here."""
        bare = tomllib.loads(run(BINARY, "config").stdout)
        decided = chart.settings(chart.objects(chart.cases()["public certificate"]))
        elsewhere = {
            # Each process's own, by its arguments.
            ("cluster", "name"), ("cluster", "advertise"),
            # From secrets; keys of tokens as a file of their own.
            ("postgres", "url"), ("redis", "address"), ("redis", "password"), ("gateway", "keys"),
            ("telemetry", "admin_token"),
            # The pod's pre-stop wait comes instead.
            ("gateway", "drain_notice_seconds"),
            # Whatever the file says, a cluster's owners send them.
            ("sessions", "beacons"),
        }
        known = chart.loaded().schema["properties"]["settings"]["properties"]
        for section, settings in bare.items():
            for key in settings if isinstance(settings, dict) else []:
                with self.subTest(setting=f"{section}.{key}"):
                    self.assertTrue(
                        key in known.get(section, {}).get("properties", {})
                        or key in decided.get(section, {})
                        or (section, key) in elsewhere
                    )
        for section, schema in known.items():
            self.assertEqual(set(schema["properties"]), set(chart.ALL_SETTINGS[section]), section)

    def test_a_role_reads_no_section_of_another(self):
        """As pods are not replaced for a change of what is named after another role."""
        owners = {"gateway.rs": {"gateway"}, "sessions.rs": {"sessions"}, "desk.rs": {"desk"}}
        owners["matching.rs"] = {"queueing", "routing"}
        # Of a gateway alone.
        owners["about.rs"] = {"gateway"}
        seen = set()
        for file in (chart.ROOT / "services/node/src/cluster").glob("*.rs"):
            named = re.findall(r"settings\s*\.(gateway|sessions|queueing|routing|desk)\b", file.read_text())
            self.assertLessEqual(set(named), owners.get(file.name, set()), file.name)
            seen |= set(named)
        self.assertEqual(seen, {"gateway", "sessions", "queueing", "routing", "desk"})

    def test_defaults_that_the_chart_counts_with_are_its_own(self):
        """Sums of the render are right only as long as both have the same in mind."""
        bare = tomllib.loads(run(BINARY, "config").stdout)
        counted = {}
        for path in (chart.CHART / "templates").rglob("*"):
            text = path.read_text() if path.is_file() else ""
            counted |= {m[:2]: int(m[2]) for m in re.findall(r'settings\.(\w+) "(\w+)" \| default (\d+)', text)}
            counted |= {m[:2]: int(m[2]) for m in re.findall(r"settings\.(\w+)\.(\w+) \| default (\d+)", text)}
        self.assertGreaterEqual(len(counted), 4)
        for (section, key), value in counted.items():
            self.assertEqual(bare[section][key], value, f"{section}.{key}")

    def test_it_knows_all_arguments_of_all_pods(self):
        """With --help behind them: whatever is wrong before it is told first."""
        seen = set()
        for values in chart.cases().values():
            for template in filter(None, map(chart.pod_template, chart.objects(values))):
                for container in chart.containers(template):
                    if "frontdesk" not in container["image"]:
                        continue
                    arguments = [a.replace("$(POD_NAME)", "p-0").replace("$(POD_IP)", "10.0.0.1") for a in container["args"]]
                    binary = LOADTEST if container.get("command") == ["frontdesk-loadtest"] else BINARY
                    if (binary, *arguments) in seen:
                        continue
                    seen.add((binary, *arguments))
                    with self.subTest(arguments=arguments):
                        done = run(binary, *arguments, "--help")
                        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(any(LOADTEST in s for s in seen))

    def test_scenarios_are_shipped_and_need_no_shell(self):
        schema = chart.loaded().schema["properties"]["loadtest"]["properties"]["scenario"]
        for name in schema["enum"]:
            file = chart.ROOT / "loadtest" / "scenarios" / f"{name}.toml"
            scenario = tomllib.loads(file.read_text())
            self.assertEqual([f for f in scenario.get("faults", []) if "command" in f], [], name)
            self.assertEqual(run(LOADTEST, "check", str(file)).returncode, 0, name)

    def test_the_commands_of_the_notes_exist(self):
        notes = chart.rendered(chart.least())["frontdesk/templates/NOTES.txt"]
        commands = re.findall(r"(?:-- (?:\\\n\s*)?)frontdesk ([^\n]+)", notes)
        self.assertEqual(len(commands), 2)
        for command in commands:
            done = run(BINARY, *command.split(), "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def test_load_is_run_once_from_every_gateway(self):
        found = chart.objects(chart.cases()["load"])
        [job] = [j for j in chart.of(found, "Job") if "-load-" in j["metadata"]["name"]]
        # A verdict is given once, and stays to be read for a day.
        self.assertEqual((job["spec"]["backoffLimit"], job["spec"]["ttlSecondsAfterFinished"]), (0, 86400))
        test = chart.of(found, "Pod", "-chat-test")
        self.assertEqual(test["metadata"]["annotations"]["helm.sh/hook"], "test")
        for template in [job["spec"]["template"], test]:
            accounts, load = chart.containers(template)
            # Else a client would stay with the one gateway that the name led to first.
            self.assertIn("--each-address", load["args"])
            # Each run has passwords of its own, which no disk ever holds.
            self.assertIn("--reset-passwords", accounts["args"])
            [memory] = [v for v in template["spec"]["volumes"] if v["name"] == "accounts"]
            self.assertEqual(memory["emptyDir"]["medium"], "Memory")
            for container in (accounts, load):
                self.assertIn("/accounts", [m["mountPath"] for m in container["volumeMounts"]])

    def test_the_helm_test_counts_on_what_the_harness_reads(self):
        found = chart.objects(chart.least())
        spec = chart.of(found, "Pod", "-chat-test")["spec"]
        written = [a.split("=")[1] for a in spec["initContainers"][0]["args"] if a.startswith("--to=")]
        read = [a.split("=")[1] for a in spec["containers"][0]["args"] if a.startswith("--accounts=")]
        self.assertEqual(written, read)
        target = [a for a in spec["containers"][0]["args"] if a.startswith("--target=")]
        service = chart.of(found, "Service", "-gateway-pods")
        self.assertEqual(target, [f"--target=http://{service['metadata']['name']}:8080"])
        self.assertEqual(service["spec"]["clusterIP"], "None")
        self.assertEqual(service["spec"]["ports"][0]["port"], 8080)
        scenario = tomllib.loads((chart.ROOT / "loadtest/scenarios/across-gateways.toml").read_text())
        self.assertEqual(set(scenario["carriers"]["visitors"]), {"ws-json", "ws-proto"})
        self.assertEqual(set(scenario["carriers"]["agents"]), {"grpc"})
        agents = [a.split("=")[1] for a in spec["initContainers"][0]["args"] if a.startswith("--extra-agents=")]
        self.assertGreaterEqual(int(agents[0]), scenario["agents"]["count"])
        self.assertNotIn("password", json.dumps(spec).replace("--reset-passwords", ""))
