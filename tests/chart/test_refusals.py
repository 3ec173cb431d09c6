"""What cannot work is refused, with the value's name in the sentence."""

import copy
import unittest

import helm_python as helm
import jsonschema

import chart


def at(path, value):
    """The least values with one changed: `a.b.c`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return chart.merged(chart.LEAST, value)


#: Values that the schema refuses: path, value, and a part of what is said.
WRONG = [
    ("presence.replicas", 2, "presence/replicas"),
    ("presence.replicas", 4, "presence/replicas"),
    ("presence.replicas", 0, "presence/replicas"),
    ("presence.replicas", 7, "presence/replicas"),
    ("presence.replicas", "3", "presence/replicas"),
    ("presence.initialVoters", 2, "presence/initialVoters"),
    ("presence.spread.hosts", "Never", "presence/spread/hosts"),
    ("presence.storage.size", "big", "presence/storage/size"),
    ("sessions.replicas", 0, "sessions/replicas"),
    ("sessions.replica", 3, "'replica'"),
    ("gateway.connectionsPerPod", 0, "connectionsPerPod"),
    ("gateway.drain.movesPerSecond", 0, "movesPerSecond"),
    ("gateway.drain.gracePeriodSeconds", 1.5, "gracePeriodSeconds"),
    ("gateway.autoscaling.kind", "vpa", "autoscaling/kind"),
    ("gateway.service.type", "ExternalName", "service/type"),
    ("gateway.trustedProxies", ["proxy.example"], "trustedProxies"),
    ("gateway.resources.limit.memory", "1Gi", "'limit'"),
    ("gateway.resources.limits.memory", "a lot", "limits/memory"),
    ("internalTls.mode", "off", "internalTls/mode"),
    ("internalTls.certManager.issuerRef", {"kind": "Issuer"}, "issuerRef"),
    ("postgres.url", "mysql://db", "postgres/url"),
    ("redis.address", "redis.example:6379", "redis/address"),
    ("tokenKeys.existingSecret.name", "Not A Name", "tokenKeys"),
    ("settings.gateway.ping_interval", 20, "'ping_interval'"),
    ("settings.gateway.listen", "0.0.0.0:1", "'listen'"),
    ("settings.sessions.attempts", 0, "attempts"),
    ("settings.storage", {}, "'storage'"),
    ("ports.clients", 80, "ports/clients"),
    ("ipFamily", "both", "ipFamily"),
    ("image.digest", "sha256:abc", "image/digest"),
    ("image.repositry", "x", "'repositry'"),
    ("fullnameOverride", "a-name-that-is-far-too-long", "fullnameOverride"),
    ("log.format", "xml", "log/format"),
    ("routes.gatewayApi.requestTimeout", "forever", "requestTimeout"),
    ("routes.ingress.controller", "apache", "ingress/controller"),
    ("routes.ingress.hosts", ["https://chat.example"], "ingress/hosts"),
    ("monitoring.serviceMonitor.interval", "often", "interval"),
    ("loadtest.scenario", "failover", "loadtest/scenario"),
    ("devEngines", True, "devEngines"),
    ("podSecurity", {}, "'podSecurity'"),
    ("runAs.user", 0, "runAs/user"),
    ("serviceAccount.name", "Not A Name", "serviceAccount"),
    ("hostUsers", "no", "hostUsers"),
    ("commonLabels", {"app.kubernetes.io/name": "x"}, "'app.kubernetes.io/name'"),
    ("sessions.podLabels", {"app.kubernetes.io/component": "x"}, "'app.kubernetes.io/component'"),
    ("sessions.podLabels", {"frontdesk/peers": "none"}, "'frontdesk/peers'"),
    ("jobs.podLabels", {"team": "two words"}, "podLabels/team"),
    ("desk.extraEnv", [{"name": "A", "valu": "b"}], "'valu'"),
    ("desk.extraEnv", [{"name": "NOT-A-NAME", "value": "b"}], "extraEnv/0/name"),
    ("desk.extraEnv", [{"name": "A", "value": 1}], "extraEnv/0/value"),
    ("desk.extraVolumes", [{"emptyDir": {}}], "extraVolumes/0"),
    ("desk.tolerations", [{"keys": "a"}], "'keys'"),
    ("desk.affinity", {"nodeAfinity": {}}, "'nodeAfinity'"),
    ("image.pullSecrets", ["name"], "pullSecrets/0"),
    ("extraObjects", [1], "extraObjects/0"),
    ("gateway.service.ipFamilyPolicy", "DualStack", "ipFamilyPolicy"),
    ("gateway.service.loadBalancerSourceRanges", ["everywhere"], "loadBalancerSourceRanges"),
    ("gateway.autoscaling.keda.triggerMetadata", {"query": "up"}, "'query'"),
    ("gateway.autoscaling.keda.authenticationRef", {"kind": "TriggerAuthentication"}, "authenticationRef"),
    ("routes.gatewayApi.parentRefs", [{"namespace": "gateways"}], "parentRefs/0"),
    ("routes.gatewayApi.backendTls.hostname", "https://a", "backendTls/hostname"),
    ("routes.gatewayApi.backendTls.hostname", "*.example.com", "backendTls/hostname"),
    ("tests.tls.name", "*.example.com", "tests/tls/name"),
    ("tests.tls.caConfigMap", "Not A Name", "tests/tls/caConfigMap"),
    ("tests.tls.caSecret", "ca", "'caSecret'"),
    ("routes.ingress.tls", [{"secretName": "a"}], "ingress/tls/0"),
    ("networkPolicy.clientsFrom", [{"namespaceSelecter": {}}], "'namespaceSelecter'"),
    ("networkPolicy.egress.enginesAt", [{"ipBlock": {"cidr": "10.0.0.0"}}], "cidr"),
]

#: Values that fit the schema and not each other.
AT_ODDS = [
    ({"tokenKeys": {"existingSecret": {"name": ""}}}, "openssl rand -base64 32"),
    ({"postgres": {"existingSecret": {"name": ""}}}, "given: none"),
    ({"postgres": {"url": "postgres://db/f"}}, "a URL and an existing secret"),
    ({"redis": {"existingSecret": {"name": ""}}}, "exactly one of redis.address"),
    ({"devEngines": {"enabled": True}}, "an existing secret and devEngines"),
    ({"internalTls": {"mode": "existingSecret"}}, "internalTls.existingSecret"),
    ({"gateway": {"tls": {"enabled": True}}}, "gateway.tls"),
    (
        {"gateway": {"tls": {"enabled": True, "certManager": {"issuerRef": {"name": "ca"}}}}},
        "gateway.tls.certManager.dnsNames",
    ),
    ({"routes": {"gatewayApi": {"enabled": True}}}, "routes.gatewayApi.parentRefs"),
    ({"routes": {"ingress": {"enabled": True}}}, "routes.ingress.hosts"),
    (
        {"gateway": {"tls": {"enabled": True, "existingSecret": "web"}}},
        "tests.tls.name: gateways speak TLS (gateway.tls.enabled), so say which name",
    ),
    (
        {
            "gateway": {"tls": {"enabled": True, "existingSecret": "web"}},
            "tests": {"enabled": False},
            "loadtest": {"enabled": True},
        },
        "tests.tls.name: gateways speak TLS",
    ),
    (
        {"routes": {"ingress": {"enabled": True, "controller": "alb", "hosts": ["a"]}}},
        "networkPolicy.metricsFrom: an ALB asks the health port of each pod itself",
    ),
    (
        {
            "gateway": {"tls": {"enabled": True, "existingSecret": "web"}},
            "routes": {"gatewayApi": {"enabled": True, "parentRefs": [{"name": "a"}]}},
        },
        "routes.gatewayApi.backendTls.hostname",
    ),
    (
        {"routes": {"ingress": {"enabled": True, "hosts": ["a"], "idleTimeoutSeconds": 49}}},
        "49 s would cut quiet chats: clients are pinged every 25 s",
    ),
    (
        {"gateway": {"autoscaling": {"kind": "hpa", "minReplicas": 9, "maxReplicas": 3}}},
        "minReplicas (9) is more than maxReplicas (3)",
    ),
    (
        {"gateway": {"autoscaling": {"kind": "hpa", "targetConnections": 10000}}},
        "targetConnections: 10000",
    ),
    ({"gateway": {"autoscaling": {"kind": "keda"}}}, "keda.prometheusAddress"),
    ({"oidc": {"existingSecret": {"name": "oidc"}}}, "settings.gateway.oidc does not say which"),
    (
        {"attachments": {"s3": {"caSecret": {"name": "ca"}}}},
        "settings.attachments.s3 does not say which",
    ),
    (
        {"settings": {"gateway": {"drain_jitter_ms": 10001}}},
        "up to 10001 ms",
    ),
    (
        {"settings": {"cluster": {"drain_seconds": 31}}},
        "sessions: 31 s to hand its shards over (settings.cluster.drain_seconds) + 10 s to save"
        " + 5 s closing = 46 s, but sessions.gracePeriodSeconds is 45.",
    ),
]


class Refusals(unittest.TestCase):
    def test_the_schema_names_what_is_wrong(self):
        for path, value, part in WRONG:
            with self.subTest(path=path, value=value):
                said = chart.refusal(at(path, value))
                self.assertIn("schema", said)
                self.assertIn(part, said)

    def test_every_value_has_a_type(self):
        """Whatever is something else than in values.yaml is refused, however deep it is."""
        validator = jsonschema.Draft202012Validator(chart.loaded().schema)
        values = chart.merged(chart.loaded().values, chart.LEAST)
        self.assertTrue(validator.is_valid(values))

        def others(part, path=()):
            for key, value in part.items():
                yield (*path, key), True if isinstance(value, str) else "x"
                if isinstance(value, dict):
                    yield from others(value, (*path, key))

        count = 0
        for path, other in others(chart.loaded().values):
            for key in reversed(path):
                other = {key: other}
            with self.subTest(path=".".join(path)):
                self.assertFalse(validator.is_valid(chart.merged(values, other)))
            count += 1
        self.assertGreater(count, 300)

    def test_a_part_that_is_taken_out_is_told_of_or_not_missed(self):
        """`null` takes a default away: never does a template stumble over it."""
        base = chart.merged(chart.cases()["public issuer"], chart.cases()["ingress nginx"])
        alike = {"queueing", "routing", "desk"}

        def parts(values, path=()):
            for key, value in values.items():
                if isinstance(value, dict) and not (path == () and key in alike):
                    yield (*path, key)
                    yield from parts(value, (*path, key))

        validator = jsonschema.Draft202012Validator(chart.loaded().schema)
        whole = chart.merged(chart.loaded().values, base)
        for path in parts(chart.loaded().values):
            # As Helm hands it to the schema, the part is not there then.
            left = inner = copy.deepcopy(whole)
            for key in path[:-1]:
                inner = inner[key]
            del inner[path[-1]]
            if not validator.is_valid(left):
                continue
            taken = None
            for key in reversed(path):
                taken = {key: taken}
            with self.subTest(part=".".join(path)):
                try:
                    chart.rendered(chart.merged(base, taken))
                except helm.HelmError as error:
                    self.assertIn("execution error", str(error))

    def test_what_is_at_odds_is_told_in_a_sentence(self):
        for values, part in AT_ODDS:
            with self.subTest(part=part):
                self.assertIn(part, chart.refusal(chart.merged(chart.LEAST, values)))

    def test_a_drain_that_does_not_fit_says_its_sum(self):
        drain = {"preStopSeconds": 15, "movesPerSecond": 300, "stragglerSeconds": 10,
                 "stopGraceSeconds": 10, "gracePeriodSeconds": 73}
        values = chart.least(gateway={"connectionsPerPod": 10000, "drain": drain})
        said = chart.refusal(values)
        self.assertIn(
            "15 s before the stop + 10000 connections ÷ 300 a second (34 s) + 25 s of slack"
            " (10 stragglers, 10 stop, 5 closing) = 74 s, but the grace period is 73 s",
            said,
        )
        self.assertIn("Raise gateway.drain.gracePeriodSeconds to 74", said)
        drain["gracePeriodSeconds"] = 74
        self.assertTrue(chart.rendered(values))

    def test_the_sum_is_what_the_binary_is_told(self):
        """The deadline in the settings file is the part of the sum that it is."""
        for connections, rate in [(10000, 500), (1, 1), (10001, 500), (999, 1000)]:
            drain = {"movesPerSecond": rate, "gracePeriodSeconds": 600}
            found = chart.objects(
                chart.least(gateway={"connectionsPerPod": connections, "drain": drain})
            )
            gateway = chart.settings(found)["gateway"]
            pod = chart.workloads(found)["gateway"]["spec"]["template"]["spec"]
            asking = -(-connections // rate)
            self.assertEqual(gateway["max_connections"], connections)
            self.assertEqual(gateway["drain_moves_per_second"], rate)
            self.assertEqual(gateway["drain_deadline_seconds"], asking + 10)
            self.assertEqual(gateway["stop_grace_seconds"], chart.loaded().values["gateway"]["drain"]["stopGraceSeconds"])
            self.assertEqual(pod["terminationGracePeriodSeconds"], 600)
            sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
            self.assertEqual(sleep, chart.loaded().values["gateway"]["drain"]["preStopSeconds"])
            whole = sleep + gateway["drain_deadline_seconds"] + gateway["stop_grace_seconds"] + 5
            self.assertLessEqual(whole, 600)
