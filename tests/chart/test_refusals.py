"""What cannot work is refused, with the value's name in the sentence."""

import unittest

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
            self.assertEqual(pod["terminationGracePeriodSeconds"], 600)
            sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
            whole = sleep + gateway["drain_deadline_seconds"] + gateway["stop_grace_seconds"] + 5
            self.assertLessEqual(whole, 600)
