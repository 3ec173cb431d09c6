"""Each value arrives where it belongs. One row each: the value, what it is set to, the
object, and where it is found there; all of a table are rendered together."""

import unittest

import chart

POD = "spec.template.spec"
OWN = f"{POD}.containers.0"
SPEC_OF_HPA = ("HorizontalPodAutoscaler", "-gateway")
DOWN = "spec.behavior.scaleDown"


def of_roles():
    """Of every role, its own: none may be given another's."""
    for number, role in enumerate(chart.ROLES):
        one = ("StatefulSet" if role == "presence" else "Deployment", f"-{role}")
        own = f"of-{role}"
        amounts = {"requests": {"cpu": f"{number + 1}m"}, "limits": {"memory": f"{number + 300}Mi"}}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": []}]}}}
        yield from [
            (f"{role}.resources", amounts, *one, f"{OWN}.resources"),
            (f"{role}.affinity", affinity, *one, f"{POD}.affinity"),
            (f"{role}.nodeSelector", {"pool": own}, *one, f"{POD}.nodeSelector"),
            (f"{role}.tolerations", [{"key": own}], *one, f"{POD}.tolerations"),
            (f"{role}.priorityClassName", own, *one, f"{POD}.priorityClassName"),
            (f"{role}.podLabels", {"team": own}, *one, "spec.template.metadata.labels"),
            (f"{role}.podAnnotations", {"note": own}, *one, "spec.template.metadata.annotations"),
            (f"{role}.annotations", {"note": own}, *one, "metadata.annotations"),
            (f"{role}.extraEnv", [{"name": "OF", "value": own}], *one, f"{OWN}.env"),
        ]
        if role != "gateway":
            grace = 100 + number
            yield (f"{role}.gracePeriodSeconds", grace, *one, f"{POD}.terminationGracePeriodSeconds")
        if role not in ("presence", "gateway"):
            yield (f"{role}.replicas", 20 + number, *one, "spec.replicas")


PRESENCE = ("StatefulSet", "-presence")
GATEWAY = ("Deployment", "-gateway")
CLAIM = "spec.volumeClaimTemplates.0.spec"
ROUTE, GRPC = ("HTTPRoute", "-gateway"), ("GRPCRoute", "-gateway-grpc")
INGRESS = ("Ingress", "-gateway")
MONITOR = ("ServiceMonitor", "")
OUT = ("NetworkPolicy", "-out")
CERTIFICATE = ("Certificate", "-internal-tls")

#: What fits together in one release.
TABLE = [
    *of_roles(),
    ("image.pullPolicy", "Never", *GATEWAY, f"{OWN}.imagePullPolicy"),
    ("image.pullSecrets", [{"name": "registry"}], *PRESENCE, f"{POD}.imagePullSecrets"),
    ("image.pullSecrets", [{"name": "registry"}], "Job", "-voters-join", f"{POD}.imagePullSecrets"),
    ("presence.storage.size", "7Gi", *PRESENCE, f"{CLAIM}.resources.requests.storage"),
    ("presence.storage.className", "fast", *PRESENCE, f"{CLAIM}.storageClassName"),
    ("presence.storage.accessMode", "ReadWriteOnce", *PRESENCE, f"{CLAIM}.accessModes"),
    ("presence.voterHooks.deadlineSeconds", 777, "Job", "-voters-join", "spec.activeDeadlineSeconds"),
    ("tokenKeys.existingSecret.key", "of-tokens", *GATEWAY, f"{POD}.volumes"),
    ("gateway.autoscaling.minReplicas", 4, *SPEC_OF_HPA, "spec.minReplicas"),
    ("gateway.autoscaling.maxReplicas", 44, *SPEC_OF_HPA, "spec.maxReplicas"),
    ("gateway.autoscaling.targetConnections", 4444, *SPEC_OF_HPA, "spec.metrics.0.pods.target.averageValue"),
    ("gateway.autoscaling.scaleDownWindowSeconds", 1234, *SPEC_OF_HPA, f"{DOWN}.stabilizationWindowSeconds"),
    ("gateway.autoscaling.scaleDownPeriodSeconds", 321, *SPEC_OF_HPA, f"{DOWN}.policies.0.periodSeconds"),
    ("gateway.service.port", 8081, "Service", "-gateway", "spec.ports.0.port"),
    ("gateway.service.grpcPort", 8082, "Service", "-gateway-grpc", "spec.ports.0.port"),
    ("gateway.service.port", 8081, *ROUTE, "spec.rules.0.backendRefs.0.port"),
    ("gateway.service.grpcPort", 8082, *GRPC, "spec.rules.0.backendRefs.0.port"),
    ("gateway.service.annotations", {"of": "http"}, "Service", "-gateway", "metadata.annotations"),
    ("gateway.service.grpcAnnotations", {"of": "grpc"}, "Service", "-gateway-grpc", "metadata.annotations"),
    ("routes.gatewayApi.hostnames", ["chat.example"], *ROUTE, "spec.hostnames"),
    ("routes.gatewayApi.hostnames", ["chat.example"], *GRPC, "spec.hostnames"),
    ("routes.gatewayApi.annotations", {"of": "routes"}, *ROUTE, "metadata.annotations"),
    ("routes.gatewayApi.annotations", {"of": "routes"}, *GRPC, "metadata.annotations"),
    ("routes.gatewayApi.parentRefs", [{"name": "public", "namespace": "g"}], *ROUTE, "spec.parentRefs"),
    ("routes.gatewayApi.parentRefs", [{"name": "public", "namespace": "g"}], *GRPC, "spec.parentRefs"),
    ("routes.gatewayApi.requestTimeout", "2h", *ROUTE, "spec.rules.0.timeouts.request"),
    ("routes.ingress.className", "theirs", *INGRESS, "spec.ingressClassName"),
    ("routes.ingress.hosts", ["chat.example"], *INGRESS, "spec.rules.0.host"),
    ("routes.ingress.tls", [{"secretName": "web", "hosts": ["chat.example"]}], *INGRESS, "spec.tls"),
    ("routes.ingress.tls", [{"secretName": "web", "hosts": ["chat.example"]}], "Ingress", "-gateway-grpc", "spec.tls"),
    ("monitoring.serviceMonitor.interval", "44s", *MONITOR, "spec.endpoints.0.interval"),
    ("monitoring.serviceMonitor.scrapeTimeout", "4s", *MONITOR, "spec.endpoints.0.scrapeTimeout"),
    ("monitoring.serviceMonitor.labels", {"release": "p"}, *MONITOR, "metadata.labels"),
    ("monitoring.adminToken.existingSecret", {"name": "admin", "key": "of-admin"}, *PRESENCE, f"{OWN}.env"),
    ("networkPolicy.egress.dnsPorts", [5353], *OUT, "spec.egress"),
    ("networkPolicy.egress.postgresPorts", [6432], *OUT, "spec.egress"),
    ("networkPolicy.egress.redisPorts", [6380], *OUT, "spec.egress"),
    ("networkPolicy.egress.tracePorts", [14317], *OUT, "spec.egress"),
    ("networkPolicy.egress.oidcPorts", [8443], "NetworkPolicy", "-out-oidc", "spec.egress"),
    ("internalTls.certManager.duration", "1000h", *CERTIFICATE, "spec.duration"),
    ("internalTls.certManager.renewBefore", "300h", *CERTIFICATE, "spec.renewBefore"),
    ("tests.resources", {"limits": {"memory": "99Mi"}}, "Pod", "-chat-test", "spec.containers.0.resources"),
    ("loadtest.resources", {"limits": {"memory": "98Mi"}}, "Job", "-load-soak-1", f"{OWN}.resources"),
    ("loadtest.agents", 33, "Job", "-load-soak-1", f"{POD}.initContainers.0.args"),
    ("loadtest.seed", 4711, "Job", "-load-soak-1", f"{OWN}.args"),
    ("loadtest.scenario", "soak", "Job", "-load-soak-1", f"{OWN}.args"),
    ("loadtest.resultsClaim", "results", "Job", "-load-soak-1", f"{POD}.volumes"),
]
#: What those need besides.
AROUND = {
    "gateway": {"autoscaling": {"kind": "hpa"}},
    "routes": {"gatewayApi": {"enabled": True}, "ingress": {"enabled": True}},
    "monitoring": {"serviceMonitor": {"enabled": True}},
    "loadtest": {"enabled": True},
    "settings": {
        "telemetry": chart.ALL_SETTINGS["telemetry"],
        "gateway": {"oidc": chart.ALL_SETTINGS["gateway"]["oidc"]},
    },
}
SCALED = ("ScaledObject", "-gateway")
#: And with KEDA.
BY_KEDA = [
    ("gateway.autoscaling.minReplicas", 4, *SCALED, "spec.minReplicaCount"),
    ("gateway.autoscaling.minReplicas", 4, *SCALED, "spec.fallback.replicas"),
    ("gateway.autoscaling.maxReplicas", 44, *SCALED, "spec.maxReplicaCount"),
    ("gateway.autoscaling.targetConnections", 4444, *SCALED, "spec.triggers.0.metadata.threshold"),
    ("gateway.autoscaling.keda.prometheusAddress", "http://of.example", *SCALED, "spec.triggers.0.metadata.serverAddress"),
    ("image.digest", "sha256:" + "b" * 64, *GATEWAY, f"{OWN}.image"),
    ("image.repository", "images.example/chat", *GATEWAY, f"{OWN}.image"),
]


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def found_at(one, path):
    for step in path.split("."):
        one = one[int(step)] if step.isdigit() else one[step]
    return one


class Arrivals(unittest.TestCase):
    def check(self, table, around):
        values = chart.least(**around)
        for path, value, *_ in table:
            values = chart.merged(values, nested(path, value))
        found = chart.objects(values)
        for path, value, kind, name, place in table:
            with self.subTest(value=path, kind=kind):
                had = found_at(chart.of(found, kind, name), place)
                if isinstance(value, dict) and isinstance(had, dict):
                    # Resources have defaults besides, labels the chart's own.
                    self.assertEqual(chart.merged(had, value), had)
                elif isinstance(value, list) and isinstance(had, list) and value[0] in had:
                    continue
                elif value == had or str(value) == had or [value] == had:
                    continue
                else:
                    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
                    for part in parts:
                        self.assertIn(str(part), str(had))

    def test_each_value_is_where_it_belongs(self):
        self.check(TABLE, AROUND)

    def test_so_is_each_of_keda(self):
        around = {"autoscaling": {"kind": "keda", "keda": {"prometheusAddress": "http://p"}}}
        self.check(BY_KEDA, {"gateway": around})

    def test_addresses_are_in_the_secrets(self):
        found = chart.objects(chart.cases()["addresses"])
        given = chart.cases()["addresses"]
        for engine, key in [("postgres", "url"), ("redis", "address")]:
            [secret] = [s for s in chart.of(found, "Secret") if s["metadata"]["name"].endswith(engine)]
            self.assertEqual(secret["stringData"], {key: given[engine][key]})

    def test_a_release_may_use_its_secrets_whoever_it_runs_as(self):
        """The group of the volumes reads them: not only root, and not everybody."""
        found = chart.objects(chart.cases()["provider"])
        for one in found:
            for volume in (chart.pod_template(one) or {"spec": {}})["spec"].get("volumes", []):
                if "secret" in volume:
                    self.assertEqual(volume["secret"]["defaultMode"], 0o440)
        [authority] = [chart.settings(found)["gateway"]["oidc"]["ca"]]
        self.assertTrue(authority.endswith("/ca.crt"))

    def test_names_are_asked_for_over_both_protocols(self):
        for policy in chart.of(chart.objects(chart.least()), "NetworkPolicy"):
            for rule in policy["spec"].get("egress", []):
                protocols = {p.get("protocol") for p in rule["ports"] if p["port"] == 53}
                self.assertIn(protocols, [set(), {"TCP", "UDP"}])
